package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.util.regex.Pattern;

/**
 * What to run: an endpoint's compute, on a timeline, of a size.
 *
 * @param endpointId 1..{@value #MAX_ID_LENGTH} characters of {@code [a-z0-9-]}; names the compute's run directory
 */
public record ComputeSpec(String endpointId, TimelineId timeline, ComputeSettings settings) {
    /** The id becomes part of a socket path, which Unix limits to 107 bytes. */
    static final int MAX_ID_LENGTH = 48;

    private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9-]{0," + (MAX_ID_LENGTH - 1) + "}");

    public ComputeSpec {
        if (!ID.matcher(endpointId).matches()) {
            throw new IllegalArgumentException("not an endpoint id: \"" + endpointId + "\"");
        }
    }

    static boolean isEndpointId(String text) {
        return ID.matcher(text).matches();
    }
}
