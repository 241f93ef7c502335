package dev.coppice.storage.layer;

import dev.coppice.storage.StorageException;

/** Another writer has replaced the manifest: whoever gets this no longer owns the timeline and must stop writing it. */
public final class ManifestConflictException extends StorageException {
    ManifestConflictException(String message) {
        super(message);
    }
}
