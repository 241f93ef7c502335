package dev.coppice.cli;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Close;
import dev.coppice.cli.output.Visible;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
        String command = line.getCommandSpec().qualifiedName();
        String help = "see " + command + " --help";
        boolean wantsCommand = !line.getSubcommands().isEmpty();
        Optional<CliException> unknown = unknownOption(line, arguments, help);
        if (unknown.isPresent()) {
            return report(line, unknown.get());
        }
        if (wantsCommand
                && e instanceof CommandLine.UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()) {
            String word = unmatched.getUnmatched().getFirst();
            // What begins with another letter is seldom what was meant.
            String close = names(unmatched.getSuggestions().stream()
                    .filter(name -> !word.isEmpty() && name.charAt(0) == word.charAt(0))
                    .map(line.getSubcommands()::get)
                    .filter(Objects::nonNull));
            return report(
                    line,
                    new CliException(
                            CliException.USAGE,
                            "there is no command \"" + command + " " + word + "\"",
                            close.isEmpty() ? help : help + "; close to it: " + close));
        }
        if (wantsCommand && e.getClass() == CommandLine.ParameterException.class) {
            String commands = names(line.getSubcommands().values().stream());
            return report(line, new CliException(CliException.USAGE, command + " needs a command: " + commands, help));
        }
        return report(line, new CliException(CliException.USAGE, String.valueOf(e.getMessage()), help));
    }

    /** An option that the command does not have is what is wrong, whatever else is missing. */
    private static Optional<CliException> unknownOption(CommandLine line, String[] arguments, String help) {
        Map<String, CommandLine.Model.OptionSpec> known = line.getCommandSpec().optionsMap();
        boolean value = false;
        for (String argument : arguments) {
            if (argument.equals("--")) {
                break;
            }
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            boolean option = !value && name.length() > 1 && name.charAt(0) == '-' && !Character.isDigit(name.charAt(1));
            CommandLine.Model.OptionSpec found = known.get(name);
            if (option && found == null && !(name.charAt(1) != '-' && known.containsKey(name.substring(0, 2)))) {
                List<String> close = Close.to(name, known.keySet());
                return Optional.of(new CliException(
                        CliException.USAGE,
                        line.getCommandSpec().qualifiedName() + " has no option \"" + name + "\"",
                        close.isEmpty() ? help : help + "; close to it: " + String.join(", ", close)));
            }
            value = option && found != null && equals < 0 && found.arity().max() > 0;
        }
        return Optional.empty();
    }

    /** Without their aliases. */
    private static String names(Stream<CommandLine> commands) {
        return commands.map(CommandLine::getCommandName).distinct().collect(Collectors.joining(", "));
    }

    private static int report(CommandLine line, CliException failure) {
        line.getErr().println("error: " + Visible.lines(String.valueOf(failure.getMessage())));
        if (failure.hint() != null) {
            line.getErr().println("hint: " + Visible.lines(failure.hint()));
        }
        line.getErr().flush();
        return failure.exitCode();
    }
}
