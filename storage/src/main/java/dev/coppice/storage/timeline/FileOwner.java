package dev.coppice.storage.timeline;

import dev.coppice.storage.io.UntrustedDirectory;

/** A numeric user and group. */
public record FileOwner(int uid, int gid) {
    /** Whom this process acts as. */
    static FileOwner ofThisProcess() {
        return new FileOwner(UntrustedDirectory.ownUser(), UntrustedDirectory.ownGroup());
    }
}
