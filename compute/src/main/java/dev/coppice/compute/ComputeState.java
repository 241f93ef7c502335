package dev.coppice.compute;

/** The state of an endpoint's compute. */
public enum ComputeState {
    /** No process. The next wake starts one. */
    IDLE,
    /** A process is being started, or is recovering. */
    WAKING,
    /** The process accepts connections. */
    ACTIVE,
    /** A clean shutdown is under way. */
    SUSPENDING,
    /** The last start failed, or the process died and is being cleaned up after. The next wake tries again. */
    FAILED
}
