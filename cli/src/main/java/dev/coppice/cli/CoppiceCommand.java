package dev.coppice.cli;

import dev.coppice.cli.command.RootOptions;
import dev.coppice.cli.command.branch.BranchesCommand;
import dev.coppice.cli.command.compute.ComputesCommand;
import dev.coppice.cli.command.compute.ConnectionStringCommand;
import dev.coppice.cli.command.compute.PsqlCommand;
import dev.coppice.cli.command.masking.MaskingCommand;
import dev.coppice.cli.command.project.ApiKeysCommand;
import dev.coppice.cli.command.project.ConsoleCommand;
import dev.coppice.cli.command.project.DatabasesCommand;
import dev.coppice.cli.command.project.IpAllowCommand;
import dev.coppice.cli.command.project.MeCommand;
import dev.coppice.cli.command.project.OperationsCommand;
import dev.coppice.cli.command.project.ProjectsCommand;
import dev.coppice.cli.command.project.RolesCommand;
import dev.coppice.cli.command.project.SetContextCommand;
import dev.coppice.cli.command.server.LocalCommands;
import dev.coppice.cli.command.server.StatusCommand;
import dev.coppice.cli.command.snapshot.SnapshotsCommand;
import dev.coppice.cli.command.storage.StorageCommand;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The root of the commands: which there are. */
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
final class CoppiceCommand extends RootOptions {
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
            ConsoleCommand.class,
            MeCommand.class,
            StorageCommand.class,
            StatusCommand.class,
            SetContextCommand.class,
            CompletionCommand.class,
            LocalCommands.Stop.class,
            LocalCommands.Logs.class,
            LocalCommands.Data.class);

    CoppiceCommand(Map<String, String> environment) {
        super(environment);
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
}
