package dev.coppice.control.masking;

import dev.coppice.control.error.ControlException;
import dev.coppice.masking.function.value.RefusedFunctionException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** What can be said against rules before a database is looked at. */
public final class RuleCheck {
    /** The most rules of one set. */
    public static final int MAX_RULES = 10_000;

    private RuleCheck() {}

    /**
     * Checks that each rule can be understood.
     *
     * @param field what the list of rules is called in the request
     * @throws ControlException INVALID with every rule's place in the list, column and reason
     */
    public static void understood(RuleSet rules, String field) {
        if (rules.rules().size() > MAX_RULES) {
            throw ControlException.invalid(
                    field + ": are " + rules.rules().size() + " rules, and " + MAX_RULES + " are the most");
        }
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < rules.rules().size(); i++) {
            RuleSet.Rule rule = rules.rules().get(i);
            try {
                rule.parsed();
            } catch (RefusedFunctionException e) {
                problems.add(field + "[" + i + "]: " + rule.database() + "." + rule.schema() + "." + rule.table() + "."
                        + rule.column() + ": " + e.getMessage());
            }
        }
        if (!problems.isEmpty()) {
            throw ControlException.invalid(String.join("\n", problems));
        }
    }

    /**
     * Checks that rules name databases that are there: a rule for another would mask nothing, and nobody would know.
     *
     * @throws ControlException UNPROCESSABLE
     */
    public static void databases(RuleSet rules, Collection<String> existing) {
        TreeSet<String> unknown = new TreeSet<>();
        rules.rules().forEach(rule -> unknown.add(rule.database()));
        existing.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "the rules name databases that the branch does not have: " + String.join(", ", unknown)
                            + "; it has " + String.join(", ", new TreeSet<>(existing)));
        }
    }
}
