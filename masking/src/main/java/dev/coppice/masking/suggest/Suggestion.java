package dev.coppice.masking.suggest;

import org.jspecify.annotations.Nullable;

/**
 * A guess that a column holds personal data.
 *
 * @param confidence from 0 to 1
 * @param function what would mask it, checked against its type and its uniqueness; null if there is none
 * @param reason what the guess stands on, without a value of the column
 */
public record Suggestion(
        SampledColumn column,
        Category category,
        double confidence,
        @Nullable String function,
        String reason) {
    private static final double CERTAIN = 0.9;
    private static final double LIKELY = 0.6;

    /** How sure it is, in a word: certain, likely or possible. */
    public String certainty() {
        return confidence >= CERTAIN ? "certain" : confidence >= LIKELY ? "likely" : "possible";
    }
}
