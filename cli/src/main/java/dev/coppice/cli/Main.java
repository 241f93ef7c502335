package dev.coppice.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import picocli.CommandLine;

/** Starts the command. */
public final class Main {
    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(out, err, System.getenv(), arguments));
    }

    /** Runs one command in this process and returns its exit code. */
    public static int run(PrintWriter out, PrintWriter err, Map<String, String> environment, String... arguments) {
        CommandLine command = CoppiceCommand.commandLine(environment, arguments)
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(false)
                .setUsageHelpWidth(100)
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setParameterExceptionHandler(Main::wrongUsage)
                .setExecutionExceptionHandler((e, line, _) -> {
                    if (e instanceof CliException failure) {
                        return report(line, failure);
                    }
                    throw e;
                });
        return command.execute(arguments);
    }

    private static int wrongUsage(CommandLine.ParameterException e, String[] arguments) {
        CommandLine line = e.getCommandLine();
        String name = line.getCommandSpec().qualifiedName();
        return report(
                line, new CliException(CliException.USAGE, String.valueOf(e.getMessage()), "see " + name + " --help"));
    }

    private static int report(CommandLine line, CliException failure) {
        line.getErr().println("error: " + failure.getMessage());
        if (failure.hint() != null) {
            line.getErr().println("hint: " + failure.hint());
        }
        line.getErr().flush();
        return failure.exitCode();
    }
}
