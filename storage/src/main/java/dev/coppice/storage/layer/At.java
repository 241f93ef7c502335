package dev.coppice.storage.layer;

import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.index.Visibility;

/** What is at or below an LSN, where stamps are effective already. */
public record At(long lsn) implements Visibility {
    @Override
    public boolean isHead() {
        return lsn == TimelineIndex.HEAD;
    }

    @Override
    public boolean sees(long sequence, long stamp) {
        return Long.compareUnsigned(stamp, lsn) <= 0;
    }
}
