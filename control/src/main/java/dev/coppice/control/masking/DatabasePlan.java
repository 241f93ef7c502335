package dev.coppice.control.masking;

import dev.coppice.control.error.ControlException;
import dev.coppice.masking.MaskingException;
import dev.coppice.masking.rule.MaskPlan;
import dev.coppice.masking.rule.MaskingRule;
import dev.coppice.masking.rule.PlanBuilder;
import dev.coppice.masking.rule.PlanBuilder.Policy;
import dev.coppice.masking.rule.RefusedPlanException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The plan of one database.
 *
 * @param indexes OIDs of all indexes that are rebuilt
 */
record DatabasePlan(DatabaseCatalog catalog, MaskPlan plan, Set<Integer> indexes) {
    private static final String UNLISTED = " has no rule and is masked with ";

    /**
     * Checks the rules against the catalog.
     *
     * @throws ControlException UNPROCESSABLE with every reason against them
     */
    static DatabasePlan of(DatabaseCatalog catalog, RuleSet rules, String keyId) {
        try {
            List<MaskingRule> own = rules.of(catalog.name());
            boolean masks = !own.isEmpty() || rules.unlisted() != RuleSet.Unlisted.KEEP;
            if (masks && !catalog.encoding().equals("UTF8")) {
                throw refused("database \"" + catalog.name() + "\" is encoded in " + catalog.encoding()
                        + ", and only UTF8 can be masked");
            }
            Policy policy = rules.unlisted() == RuleSet.Unlisted.KEEP ? Policy.SHOW_UNDECLARED : Policy.MASK_UNDECLARED;
            StaticMasking statics = new StaticMasking(catalog, rules);
            if (!statics.problems().isEmpty()) {
                throw refused("database \"" + catalog.name() + "\": " + String.join("; ", statics.problems()));
            }
            MaskPlan plan = withViews(PlanBuilder.build(own, catalog.tables(), policy, keyId), statics.staleViews());
            if (rules.unlisted() == RuleSet.Unlisted.REFUSE) {
                requireListed(catalog, plan);
            }
            Set<Integer> indexes = new HashSet<>(plan.indexes());
            if (plan.tables().values().stream()
                    .anyMatch(table -> !table.columns().isEmpty())) {
                indexes.addAll(catalog.codeIndexes());
            }
            Set<Integer> withFiles = new HashSet<>();
            for (DatabaseCatalog.Relation relation : catalog.relations()) {
                if (relation.kind() == 'i') {
                    withFiles.add(relation.oid());
                }
            }
            indexes.retainAll(withFiles);
            return new DatabasePlan(catalog, plan, indexes);
        } catch (RefusedPlanException e) {
            throw refused("database \"" + catalog.name() + "\": " + String.join("; ", e.problems()));
        } catch (MaskingException e) {
            throw refused("database \"" + catalog.name() + "\": " + e.getMessage());
        }
    }

    private static MaskPlan withViews(MaskPlan plan, Set<Integer> more) {
        Set<Integer> views = new HashSet<>(plan.views());
        views.addAll(more);
        return new MaskPlan(plan.keyId(), plan.codeVersion(), plan.tables(), plan.indexes(), views, plan.warnings());
    }

    private static void requireListed(DatabaseCatalog catalog, MaskPlan plan) {
        List<String> unlisted = plan.warnings().stream()
                .filter(warning -> warning.contains(UNLISTED))
                .map(warning -> warning.substring(0, warning.indexOf(UNLISTED)))
                .sorted()
                .toList();
        if (!unlisted.isEmpty()) {
            throw refused("database \"" + catalog.name() + "\": these columns have no rule, and unlisted columns are"
                    + " refused: " + String.join(", ", unlisted) + "; give each one, keep() if it is safe");
        }
    }

    private static ControlException refused(String reason) {
        return new ControlException(ControlException.Kind.UNPROCESSABLE, reason);
    }
}
