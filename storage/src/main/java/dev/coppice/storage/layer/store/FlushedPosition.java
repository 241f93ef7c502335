package dev.coppice.storage.layer.store;

import dev.coppice.common.Lsn;

/**
 * Everything of the journal before byte {@code offset} of the segment of {@code epoch} is in layers.
 *
 * @param stamp no entry before it has a higher effective stamp, and none at or after it an equal or lower one
 */
public record FlushedPosition(int epoch, long offset, Lsn stamp) {}
