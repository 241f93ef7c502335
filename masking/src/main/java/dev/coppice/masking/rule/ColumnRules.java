package dev.coppice.masking.rule;

import dev.coppice.masking.function.BoundFunction;
import dev.coppice.masking.function.ColumnTarget;
import dev.coppice.masking.function.MaskFunctions;
import dev.coppice.masking.function.MaskFunctions.PathCall;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import dev.coppice.masking.page.ColumnMask;
import dev.coppice.masking.page.RowCondition;
import dev.coppice.masking.rule.KeyGroups.Member;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** The rules of one column, checked and bound. */
record ColumnRules(ColumnMask mask, String description) {
    /**
     * Binds a column's rules.
     *
     * @param group the columns that foreign keys connect with it, itself included
     * @throws RefusedFunctionException with the first reason against them
     */
    static ColumnRules bind(TableDefinition table, Attribute column, List<MaskingRule> rules, List<Member> group) {
        boolean key = group.size() > 1;
        boolean unique = key
                || group.stream()
                        .anyMatch(each -> each.table().isUnique(each.column().number()));
        checkColumn(table, column, rules);
        ColumnTarget target = target(column, group);
        List<ColumnMask.Case> cases = new ArrayList<>();
        if (rules.stream().anyMatch(rule -> rule.path() != null)) {
            cases.add(new ColumnMask.Case(
                    RowCondition.ALWAYS, paths(rules, target, unique).mask()));
        } else {
            for (MaskingRule rule : rules) {
                cases.add(whole(table, column, rule, target, unique));
            }
        }
        String description = rules.stream()
                .map(rule -> (rule.path() == null ? "" : rule.path() + ": ")
                        + rule.call()
                        + (rule.when() == null ? "" : " when " + rule.when()))
                .collect(Collectors.joining(", "));
        return new ColumnRules(new ColumnMask(column.number(), cases, unique), description);
    }

    private static void checkColumn(TableDefinition table, Attribute column, List<MaskingRule> rules) {
        if (rules.stream().anyMatch(MaskingRule::isKeep)) {
            throw new RefusedFunctionException("it is declared safe and masked: remove one of the rules");
        }
        if (column.generated() == 'v') {
            throw new RefusedFunctionException(
                    "it is a virtual generated column, which stores nothing: mask the columns that it is generated from");
        }
        if (table.partitionKey().contains(column.number())) {
            throw new RefusedFunctionException(
                    "the table is partitioned by it: masked rows would not belong to their partitions");
        }
        for (TableDefinition.Index index : table.indexes()) {
            if (index.exclusion() && index.columns().contains(column.number())) {
                throw new RefusedFunctionException(
                        "the exclusion constraint " + index.name() + " reads it: masked rows could exclude each other");
            }
        }
        boolean always = rules.size() > 1
                && rules.stream().limit(rules.size() - 1L).anyMatch(rule -> rule.path() == null && rule.when() == null);
        if (always) {
            throw new RefusedFunctionException("it has a rule for every row, and others that would never apply");
        }
    }

    private static ColumnTarget target(Attribute column, List<Member> group) {
        long least = Long.MIN_VALUE;
        long greatest = Long.MAX_VALUE;
        ScalarType.Family family = family(column);
        for (Member member : group) {
            if (family(member.column()) != family) {
                throw new RefusedFunctionException("a foreign key connects it with " + member.name()
                        + ", which is of another kind of type: equal values could not be masked alike");
            }
            ColumnTarget own = new ColumnTarget(column.name(), member.column().type(), -1);
            least = Math.max(least, own.least());
            greatest = Math.min(greatest, own.greatest());
        }
        return new ColumnTarget(column.name(), column.type(), column.typeModifier(), least, greatest);
    }

    private static ScalarType.@org.jspecify.annotations.Nullable Family family(Attribute column) {
        return column.type() instanceof DataType.Scalar(ScalarType type) ? type.family() : null;
    }

    private static BoundFunction paths(List<MaskingRule> rules, ColumnTarget target, boolean unique) {
        if (unique) {
            throw new RefusedFunctionException("it is unique or a key, which masking parts of a document could break");
        }
        List<PathCall> calls = new ArrayList<>();
        for (MaskingRule rule : rules) {
            if (rule.path() == null || rule.when() != null) {
                throw new RefusedFunctionException(
                        "rules for parts of a document cannot be mixed with others, or have conditions");
            }
            calls.add(new PathCall(Objects.requireNonNull(rule.path()), rule.call()));
        }
        return MaskFunctions.bindPaths(calls, target);
    }

    private static ColumnMask.Case whole(
            TableDefinition table, Attribute column, MaskingRule rule, ColumnTarget target, boolean unique) {
        BoundFunction function = MaskFunctions.bind(rule.call(), target);
        if (unique && rule.when() != null) {
            throw new RefusedFunctionException(
                    "it is unique or a key: a masked row could get the value of one that the condition leaves as it is");
        }
        if (unique && function.uniqueness() != Uniqueness.PRESERVED) {
            throw new RefusedFunctionException("it is unique or a key, and " + function.description()
                    + " does not keep distinct values distinct: use pseudonym(), or pseudonym_email()");
        }
        if (column.notNull() && function.description().equals("null()")) {
            throw new RefusedFunctionException("it is NOT NULL: use blank()");
        }
        RowCondition condition = rule.when() == null ? RowCondition.ALWAYS : BoundCondition.bind(rule.when(), table);
        return new ColumnMask.Case(condition, function.mask());
    }
}
