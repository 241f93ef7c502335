package dev.coppice.masking.rule;

import dev.coppice.masking.MaskingException;
import java.util.List;

/** Rules that cannot be applied as they are, with every reason. */
public final class RefusedPlanException extends MaskingException {
    private final List<String> problems;

    RefusedPlanException(List<String> problems) {
        super("the masking rules cannot be applied: " + String.join("; ", problems));
        this.problems = List.copyOf(problems);
    }

    /** One sentence for each problem, which names the column and what to do. */
    public List<String> problems() {
        return problems;
    }
}
