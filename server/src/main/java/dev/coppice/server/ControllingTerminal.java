package dev.coppice.server;

import java.io.FileInputStream;
import java.io.IOException;

/**
 * The terminal that a program was started from, if there was one; it is gone when its window or connection is closed. A program that was
 * started with {@code nohup} has none to care for.
 */
final class ControllingTerminal {
    private static final String DEVICE = "/dev/tty";

    private final boolean was;

    /** @param hangUpIgnored whether the program was told not to care */
    ControllingTerminal(boolean hangUpIgnored) {
        was = !hangUpIgnored && isThere();
    }

    boolean isGone() {
        return was && !isThere();
    }

    private static boolean isThere() {
        try (FileInputStream terminal = new FileInputStream(DEVICE)) {
            return terminal.getFD().valid();
        } catch (IOException none) {
            return false;
        }
    }
}
