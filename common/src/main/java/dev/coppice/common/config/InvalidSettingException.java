package dev.coppice.common.config;

/** One value is out of its range; the loader turns it into a {@link ConfigurationException} with file and line. */
final class InvalidSettingException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String key;

    /** With the full key ({@code compute.size_compute_units}) and what is wrong with its value. */
    InvalidSettingException(String key, String problem) {
        super(problem);
        this.key = key;
    }

    String key() {
        return key;
    }

    static void requireRange(String key, int value, int least, int most, String unit) {
        if (value < least || value > most) {
            throw new InvalidSettingException(
                    key, "must be from " + least + " to " + most + " " + unit + ", not " + value);
        }
    }
}
