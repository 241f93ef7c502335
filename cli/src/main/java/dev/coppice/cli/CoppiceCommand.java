package dev.coppice.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The root of the commands and the options that all of them take. */
@Command(
        name = "coppice",
        description = "Postgres with instant branches.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice branches create --name dev-alice",
            "  coppice psql dev-alice -- -c 'select 1'",
            "  coppice branches list -o json",
            "",
            "Exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 no server answers."
        })
final class CoppiceCommand {
    private static final List<Class<?>> COMMANDS = List.of(
            ProjectsCommand.class,
            BranchesCommand.class,
            SnapshotsCommand.class,
            ConnectionStringCommand.class,
            PsqlCommand.class,
            ComputesCommand.class,
            RolesCommand.class,
            DatabasesCommand.class,
            MaskingCommand.class,
            OperationsCommand.class,
            IpAllowCommand.class,
            ApiKeysCommand.class,
            MeCommand.class,
            StorageCommand.class,
            StatusCommand.class,
            SetContextCommand.class,
            CompletionCommand.class,
            LocalCommands.Stop.class,
            LocalCommands.Logs.class,
            LocalCommands.Data.class);

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

    CoppiceCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * The command line for {@code arguments}: with the one command that they begin with, because to describe all of them to
     * picocli takes longer than most run; with all of them where others are asked for too, as by {@code --help}.
     */
    static CommandLine commandLine(Map<String, String> environment, String... arguments) {
        CommandLine root = new CommandLine(new CoppiceCommand(environment));
        String first = arguments.length == 0 ? "" : arguments[0];
        List<Class<?>> asked =
                COMMANDS.stream().filter(command -> isNamed(command, first)).toList();
        boolean one = !asked.isEmpty() && !asked.contains(CompletionCommand.class);
        (one ? asked : COMMANDS).forEach(root::addSubcommand);
        return root;
    }

    private static boolean isNamed(Class<?> command, String name) {
        Command annotation = command.getAnnotation(Command.class);
        return annotation.name().equals(name) || List.of(annotation.aliases()).contains(name);
    }

    /** Where set-context writes. */
    static Path contextFile(CommandSpec spec) {
        CoppiceCommand options = spec.root().commandLine().getCommand();
        return options.contextFile != null ? options.contextFile : Path.of(ProjectContext.FILE);
    }

    static Map<String, String> environment(CommandSpec spec) {
        CoppiceCommand options = spec.root().commandLine().getCommand();
        return options.environment;
    }

    /** {@code --project} as given. */
    static @Nullable String projectOption(CommandSpec spec) {
        CoppiceCommand options = spec.root().commandLine().getCommand();
        return options.projectId;
    }

    /** Runs {@code body} with a session of the root command's options and returns the exit code. */
    static int withSession(CommandSpec spec, ToIntFunction<Session> body) {
        CommandLine root = spec.root().commandLine();
        CoppiceCommand options = root.getCommand();
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
