package dev.coppice.masking.function.value;

/** What a function does to distinct values. */
public enum Uniqueness {
    /** Distinct values stay distinct, or collide with a probability that is negligible in any table (below 2^-60). */
    PRESERVED,
    /** Distinct values are usually distinct, but may collide. */
    NOT_GUARANTEED,
    /** Distinct values become equal by design. */
    LOST
}
