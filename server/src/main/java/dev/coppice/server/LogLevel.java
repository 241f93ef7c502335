package dev.coppice.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.coppice.common.config.CoppiceConfiguration;
import org.slf4j.LoggerFactory;

/** The log level of all loggers that have none of their own in {@code config/logback.xml}. */
final class LogLevel {
    private LogLevel() {}

    /** From now on; without effect where another logging library is behind SLF4J. */
    static void set(CoppiceConfiguration.LogLevel level) {
        if (LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME) instanceof Logger root) {
            root.setLevel(Level.valueOf(level.name()));
        }
    }
}
