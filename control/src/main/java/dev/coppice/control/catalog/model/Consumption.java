package dev.coppice.control.catalog.model;

import java.time.Instant;

/** What projects and their branches use. */
public final class Consumption {
    /** In place of a branch's id: the project as a whole. */
    public static final String WHOLE_PROJECT = "";

    private Consumption() {}

    /**
     * What was used in a stretch of time.
     *
     * @param activeMillis that a compute ran
     * @param computeMillis the same, times its compute units
     * @param writtenBytes of write-ahead log
     */
    public record Used(long activeMillis, long computeMillis, long writtenBytes) {
        public static final Used NOTHING = new Used(0, 0, 0);

        public Used plus(Used more) {
            return new Used(
                    activeMillis + more.activeMillis,
                    computeMillis + more.computeMillis,
                    writtenBytes + more.writtenBytes);
        }
    }

    /**
     * One hour of a branch.
     *
     * @param hour its beginning
     * @param branchId or {@link #WHOLE_PROJECT}
     * @param storageBytes taken at the end of the hour; of the project as a whole only
     */
    public record Hour(String projectId, String branchId, Instant hour, Used used, long storageBytes) {}
}
