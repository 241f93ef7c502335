package dev.coppice.storage.layer.store;

import dev.coppice.storage.fault.StorageException;

/** Another writer has replaced the manifest: whoever gets this no longer owns the timeline and must stop writing it. */
public final class ManifestConflictException extends StorageException {
    ManifestConflictException(String message) {
        super(message);
    }
}
