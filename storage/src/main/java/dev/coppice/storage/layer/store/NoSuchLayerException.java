package dev.coppice.storage.layer.store;

import dev.coppice.storage.fault.StorageException;

/** A layer is not, or no longer, in the store: a compaction replaced it, or it was lost. The newest manifest tells. */
public final class NoSuchLayerException extends StorageException {
    NoSuchLayerException(String message, Throwable cause) {
        super(message, cause);
    }
}
