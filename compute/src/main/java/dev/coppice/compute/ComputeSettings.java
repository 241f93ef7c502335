package dev.coppice.compute;

import java.util.Map;

/**
 * The size of a compute and the Postgres settings asked for by its owner.
 *
 * @param computeUnits 0.25 .. {@value #MAX_UNITS}; one unit is {@value #MEGABYTES_PER_UNIT} MB of memory and one core
 * @param postgres further lines of {@code postgresql.conf} by name; names that Coppice sets itself are refused
 */
public record ComputeSettings(double computeUnits, Map<String, String> postgres) {
    static final double MIN_UNITS = 0.25;
    static final double MAX_UNITS = 56;
    static final int MEGABYTES_PER_UNIT = 4096;

    public ComputeSettings {
        if (!(computeUnits >= MIN_UNITS && computeUnits <= MAX_UNITS)) {
            throw new IllegalArgumentException(
                    "compute size " + computeUnits + " is outside " + MIN_UNITS + ".." + MAX_UNITS);
        }
        postgres = Map.copyOf(postgres);
        postgres.forEach(PostgresConfiguration::requireAllowed);
    }

    /** The smallest size with no further settings. */
    public static ComputeSettings defaults() {
        return new ComputeSettings(MIN_UNITS, Map.of());
    }
}
