package dev.coppice.common.config;

import static dev.coppice.common.config.InvalidSettingException.requireRange;

/**
 * How much of the disk branches may take. Section {@code disk} of the file.
 *
 * @param maxBranchMegabytes of one branch: its own history, write-ahead log and the local files of its compute; 0 = no limit
 * @param minFreeMegabytes of the data directory's file system, below which no branch grows; 0 = until it is full
 */
public record DiskConfiguration(int maxBranchMegabytes, int minFreeMegabytes) {
    /** What holds where the file says nothing. */
    public static final DiskConfiguration DEFAULTS = new DiskConfiguration(0, 512);

    /** Less than this is what an empty branch has. */
    public static final int LEAST_BRANCH_MEGABYTES = 128;

    /** Checks ranges. */
    public DiskConfiguration {
        if (maxBranchMegabytes != 0) {
            requireRange(
                    "disk.max_branch_megabytes",
                    maxBranchMegabytes,
                    LEAST_BRANCH_MEGABYTES,
                    Integer.MAX_VALUE,
                    "megabytes (or 0 for no limit)");
        }
        requireRange("disk.min_free_megabytes", minFreeMegabytes, 0, Integer.MAX_VALUE, "megabytes");
    }
}
