package dev.coppice.cli.aot;

import dev.coppice.cli.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Runs many commands in one process, one after the other, so that a cache made of it knows what all of them need. */
public final class TrainingRun {
    private TrainingRun() {}

    /** Runs each line of the standard input as a command; words are separated by blanks. */
    public static void main(String[] arguments) throws IOException {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        try (BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            run(commands, out, System.getenv());
        }
    }

    /** A command that fails, with its message, is as good a lesson as another one. */
    static void run(BufferedReader commands, PrintWriter out, Map<String, String> environment) throws IOException {
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            if (!line.isBlank()) {
                int code = Main.run(out, out, environment, line.strip().split(" +"));
                out.println("coppice " + line.strip() + ": exit code " + code);
            }
        }
    }
}
