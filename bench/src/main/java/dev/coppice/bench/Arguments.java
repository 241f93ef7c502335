package dev.coppice.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The command line: names of measurements, and options with a value each. */
record Arguments(List<String> names, Map<String, String> given) {
    /** Every option with its default; empty where there is none. */
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("--home", "."),
            Map.entry("--work", ""),
            Map.entry("--seconds", "10"),
            Map.entry("--rounds", "3"),
            Map.entry("--wakes", "15"),
            Map.entry("--scale", "7"),
            Map.entry("--megabytes", "512"),
            Map.entry("--large-megabytes", "1024"),
            Map.entry("--transactions", "60000"),
            Map.entry("--samples", "20000"),
            Map.entry("--rows", "1000000"),
            Map.entry("--branch-megabytes", "0"),
            Map.entry("--branches", "1000"));

    static Arguments parse(String[] arguments) {
        List<String> names = new ArrayList<>();
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            if (!arguments[i].startsWith("--")) {
                names.add(arguments[i]);
            } else if (!DEFAULTS.containsKey(arguments[i]) || i + 1 == arguments.length) {
                throw new IllegalArgumentException(arguments[i] + " is no option, or its value is missing; there are "
                        + DEFAULTS.keySet().stream().sorted().toList());
            } else {
                given.put(arguments[i], arguments[++i]);
            }
        }
        return new Arguments(List.copyOf(names), Map.copyOf(given));
    }

    int number(String name) {
        return Integer.parseInt(text(name));
    }

    String text(String name) {
        String value = given.getOrDefault(name, DEFAULTS.get(name));
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("missing " + name);
        }
        return value;
    }

    /** What repeats one measurement with the options of this run. */
    String command(String name) {
        StringBuilder command = new StringBuilder("bench/run ").append(name);
        given.entrySet().stream()
                .filter(option ->
                        !option.getKey().equals("--home") && !option.getKey().equals("--work"))
                .sorted(Map.Entry.comparingByKey())
                .forEach(option ->
                        command.append(' ').append(option.getKey()).append(' ').append(option.getValue()));
        return command.toString();
    }
}
