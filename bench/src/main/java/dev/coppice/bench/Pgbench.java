package dev.coppice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The installed pgbench against one server, given as a connection string. */
record Pgbench(String connectionString, String password) {
    private static final Pattern RATE = Pattern.compile("tps = ([0-9.]+)");

    void initialize(int scale) {
        run(List.of("-i", "-q", "-s", String.valueOf(scale)));
    }

    /** Transactions per second of a TPC-B run, or of a select-only run. */
    double run(boolean selectOnly, int clients, int seconds) {
        List<String> arguments = new ArrayList<>(List.of("-n", "-c", "" + clients, "-j", "2", "-T", "" + seconds));
        if (selectOnly) {
            arguments.addAll(List.of("-S", "-M", "prepared"));
        }
        String output = run(arguments);
        Matcher rate = RATE.matcher(output);
        if (!rate.find()) {
            throw new IllegalStateException("pgbench printed no rate:\n" + output);
        }
        return Double.parseDouble(rate.group(1));
    }

    /** A fixed number of TPC-B transactions, of all clients together. */
    void transactions(int clients, int count) {
        run(List.of("-n", "-c", "" + clients, "-j", "2", "-t", String.valueOf(count / clients)));
    }

    private String run(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("pgbench"));
        command.addAll(arguments);
        command.add(connectionString);
        return Command.run(Map.of("PGPASSWORD", password), command);
    }
}
