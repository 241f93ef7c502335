package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.util.regex.Pattern;

/**
 * What to run: an endpoint's compute, on a timeline, of a size.
 *
 * @param reach what it may do by itself that others notice
 * @param endpointId 1..{@value #MAX_ID_LENGTH} characters of {@code [a-z0-9-]}; names the compute's run directory
 */
public record ComputeSpec(String endpointId, TimelineId timeline, ComputeSettings settings, Mode mode, Reach reach) {
    /** What may be done with it. */
    public enum Mode {
        READ_WRITE,
        /**
         * A hot standby of nobody: Postgres itself refuses every write (25006), temporary tables too, and no setting of a session
         * changes that. For a timeline whose last compute was shut down cleanly, with the same connection limits.
         */
        READ_ONLY
    }

    /** What Postgres may do outside by itself, by what it inherited: subscriptions, archiving, scheduled jobs. */
    public enum Reach {
        /** Everything: it is what its users made it. */
        OWN,
        /** As a copy of another: nothing that only the other's own settings ask for. */
        COPY,
        /** Nothing: nobody works with it as with a branch. */
        NONE
    }

    /** The id becomes part of a socket path, which Unix limits to 107 bytes. */
    static final int MAX_ID_LENGTH = 48;

    private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9-]{0," + (MAX_ID_LENGTH - 1) + "}");

    public ComputeSpec {
        if (!ID.matcher(endpointId).matches()) {
            throw new IllegalArgumentException("not an endpoint id: \"" + endpointId + "\"");
        }
    }

    /** An ordinary compute. */
    public ComputeSpec(String endpointId, TimelineId timeline, ComputeSettings settings) {
        this(endpointId, timeline, settings, Mode.READ_WRITE, Reach.OWN);
    }

    ComputeSpec within(Reach other) {
        return new ComputeSpec(endpointId, timeline, settings, mode, other);
    }

    static boolean isEndpointId(String text) {
        return ID.matcher(text).matches();
    }
}
