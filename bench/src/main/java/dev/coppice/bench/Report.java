package dev.coppice.bench;

import java.util.Locale;

/** Prints a Markdown table, a row as soon as it is known. */
final class Report {
    private String command = "";

    void begin() {
        System.out.println("| what | vanilla | Coppice | ratio | goal | command |");
        System.out.println("|---|---|---|---|---|---|");
    }

    /** The rows that follow are repeated by {@code bench/run ...}. */
    void measuring(String command) {
        this.command = command;
    }

    /** A figure of both, and how many times vanilla's Coppice's is. */
    void compare(String what, String unit, double vanilla, double coppice, String goal) {
        row(what, number(vanilla, unit), number(coppice, unit), number(coppice / vanilla, ""), goal);
    }

    /** Two figures of Coppice, and how many times the first the second is. */
    void compareOwn(String what, String unit, double first, double second, String goal) {
        row(what, "-", number(first, unit) + " / " + number(second, unit), number(second / first, ""), goal);
    }

    /** A figure of Coppice alone. */
    void alone(String what, String unit, double coppice, String goal) {
        row(what, "-", number(coppice, unit), "-", goal);
    }

    private void row(String what, String vanilla, String coppice, String ratio, String goal) {
        System.out.printf("| %s | %s | %s | %s | %s | `%s` |%n", what, vanilla, coppice, ratio, goal, command);
    }

    /** Three digits that count; small numbers keep their fraction. */
    private static String number(double value, String unit) {
        double size = Math.abs(value);
        String format = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value) + (unit.isEmpty() ? "" : " " + unit);
    }
}
