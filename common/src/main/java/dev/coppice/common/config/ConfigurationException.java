package dev.coppice.common.config;

/** The configuration cannot be used. The message names the key and, where it came from a file, the file and the line. */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With a message for the person who wrote the configuration. */
    public ConfigurationException(String message) {
        super(message);
    }

    ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}
