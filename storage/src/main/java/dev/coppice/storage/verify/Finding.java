package dev.coppice.storage.verify;

import dev.coppice.common.TimelineId;

/**
 * One thing that is wrong.
 *
 * @param file relative to the timeline's directory; empty when no single file is
 * @param what was found, and where in the file
 * @param advice what to do
 */
public record Finding(Severity severity, TimelineId timeline, String file, String what, String advice) {
    /** How bad. */
    public enum Severity {
        /** Something that was stored is damaged or missing. */
        ERROR,
        /** Nothing is lost; space is, or order. */
        WARNING
    }
}
