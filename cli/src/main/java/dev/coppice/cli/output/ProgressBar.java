package dev.coppice.cli.output;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;

/** One line that is drawn over again while something takes long; only when a person looks at a terminal. */
public final class ProgressBar implements AutoCloseable {
    private static final int WIDTH = 30;

    private final PrintWriter out;
    private final boolean visible;
    private int drawn;

    /**
     * Draws nothing yet.
     *
     * @param out where the terminal is
     * @param wanted false hides it in any case
     */
    public ProgressBar(PrintWriter out, boolean wanted) {
        this.out = out;
        this.visible = wanted
                && Optional.ofNullable(System.console())
                        .filter(Console::isTerminal)
                        .isPresent();
    }

    /** @param part done, 0 to 1 */
    public void show(String what, double part) {
        if (!visible) {
            return;
        }
        double shown = Math.clamp(part, 0, 1);
        int filled = (int) Math.round(shown * WIDTH);
        String line =
                "[" + "#".repeat(filled) + ".".repeat(WIDTH - filled) + "] " + Math.round(shown * 100) + "% " + what;
        draw(line);
    }

    private void draw(String line) {
        out.print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
        out.flush();
        drawn = line.length();
    }

    /** Wipes the line. */
    @Override
    public void close() {
        if (drawn > 0) {
            draw("");
            out.print("\r");
            out.flush();
        }
    }
}
