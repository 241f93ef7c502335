package dev.coppice.storage.layer;

import dev.coppice.storage.StorageException;

/** A layer is not, or no longer, in the store: a compaction replaced it, or it was lost. The newest manifest tells. */
public final class NoSuchLayerException extends StorageException {
    NoSuchLayerException(String message, Throwable cause) {
        super(message, cause);
    }
}
