package dev.coppice.cli.command;

import dev.coppice.cli.api.ApiAddress;
import dev.coppice.cli.api.ProjectContext;
import dev.coppice.cli.api.Session;
import dev.coppice.cli.output.Output;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options that all commands take, and the session that a command runs in by them. The root of the commands has them. */
public abstract class RootOptions {
    private final Map<String, String> environment;

    @Option(
            names = {"--project", "--project-id"},
            paramLabel = "PROJECT",
            scope = ScopeType.INHERIT,
            description =
                    "The project, by name or id. Default: COPPICE_PROJECT_ID, else that of the context file, else the only one.")
    private @Nullable String projectId;

    @Option(
            names = "--context-file",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "What set-context wrote. Default: " + ProjectContext.FILE + " here or in a directory above.")
    private @Nullable Path contextFile;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            scope = ScopeType.INHERIT,
            description =
                    "${COMPLETION-CANDIDATES}. Default: table. json and yaml are the API's objects, name only their names.")
    private Output.Format format = Output.Format.table;

    @Option(
            names = {"-q", "--quiet"},
            scope = ScopeType.INHERIT,
            description = "Print names only: -o name.")
    private boolean quiet;

    @Option(
            names = "--api-url",
            paramLabel = "URL",
            scope = ScopeType.INHERIT,
            description = "The API. Default: COPPICE_API_URL, else as the server left it in its data directory.")
    private @Nullable String apiUrl;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            scope = ScopeType.INHERIT,
            description = "Its key. Default: COPPICE_API_KEY, else as the server left it. Other users of the machine"
                    + " can see options: prefer the variable.")
    private @Nullable String apiKey;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // picocli itself acts on it
    private boolean help;

    /** @param environment the variables that stand in for options that are not given */
    protected RootOptions(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Where set-context writes. */
    public static Path contextFile(CommandSpec spec) {
        RootOptions options = spec.root().commandLine().getCommand();
        return options.contextFile != null ? options.contextFile : Path.of(ProjectContext.FILE);
    }

    public static Map<String, String> environment(CommandSpec spec) {
        RootOptions options = spec.root().commandLine().getCommand();
        return options.environment;
    }

    /** {@code --project} as given. */
    public static @Nullable String projectOption(CommandSpec spec) {
        RootOptions options = spec.root().commandLine().getCommand();
        return options.projectId;
    }

    /** Runs {@code body} with a session of the root command's options and returns the exit code. */
    public static int withSession(CommandSpec spec, ToIntFunction<Session> body) {
        CommandLine root = spec.root().commandLine();
        RootOptions options = root.getCommand();
        Map<String, String> environment = options.environment;
        ProjectContext context = ProjectContext.find(options.contextFile, Path.of(""));
        String project = options.projectId != null ? options.projectId : environment.get("COPPICE_PROJECT_ID");
        // A branch of the context means one of the context's project.
        boolean inContext = project == null || project.equals(context.projectId());
        if (project == null) {
            project = context.projectId();
        }
        ApiAddress address = ApiAddress.find(options.apiUrl, options.apiKey, environment);
        Output output = new Output(
                options.quiet ? Output.Format.name : options.format,
                spec.commandLine().getOut());
        try (Session session = new Session(
                address,
                output,
                spec.commandLine().getErr(),
                project,
                inContext ? context.branch() : null,
                environment)) {
            return body.applyAsInt(session);
        }
    }
}
