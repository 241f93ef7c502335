package dev.coppice.storage.io;

import java.time.Instant;

/**
 * What the kernel says of a file, links not followed.
 *
 * @param mode its type and permissions, as of stat(2)
 * @param size its length in bytes; a sparse file's may be far beyond what it takes
 * @param allocated what it takes on disk, in bytes
 * @param born when it was made; 1970 where the file system does not know
 */
public record FileFacts(
        int mode, int uid, int links, long size, long allocated, long inode, Instant modified, Instant born) {
    /** Whether it is an ordinary file. */
    public boolean isRegular() {
        return (mode & DirectoryCalls.TYPE) == DirectoryCalls.REGULAR;
    }

    /** Whether it is a directory. */
    public boolean isDirectory() {
        return (mode & DirectoryCalls.TYPE) == DirectoryCalls.DIRECTORY;
    }
}
