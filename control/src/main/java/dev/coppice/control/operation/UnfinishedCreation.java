package dev.coppice.control.operation;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Operation;
import java.util.Optional;

/** What an unfinished creation needs to be undone: stored in its operation as {@code <timeline> <endpoint>}. */
public record UnfinishedCreation(TimelineId timeline, String endpointId) {
    public String text() {
        return timeline.value() + " " + endpointId;
    }

    /** Empty for an operation that made nothing. */
    public static Optional<UnfinishedCreation> of(Operation operation) {
        String text = operation.detail();
        int space = text == null ? -1 : text.indexOf(' ');
        return text == null || space < 0
                ? Optional.empty()
                : Optional.of(
                        new UnfinishedCreation(new TimelineId(text.substring(0, space)), text.substring(space + 1)));
    }
}
