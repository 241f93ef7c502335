package dev.coppice.masking.rule;

import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.page.ColumnMask;
import dev.coppice.masking.rule.KeyGroups.Member;
import dev.coppice.masking.rule.MaskPlan.TablePlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a {@link MaskPlan} of rules and a catalog: finds the columns that rules name, extends rules to partitions, inheritance children
 * and the other columns of their keys, and collects every reason against them.
 */
public final class PlanBuilder {
    /** What happens to columns that no rule names. */
    public enum Policy {
        /** They are shown. */
        SHOW_UNDECLARED,
        /** They are masked: keys and unique columns as pseudonyms, others blanked. For columns that a migration adds. */
        MASK_UNDECLARED
    }

    private final List<MaskingRule> rules;
    private final Map<Integer, TableDefinition> tables = new LinkedHashMap<>();
    private final Policy policy;
    private final KeyGroups groups;
    private final Map<Integer, Map<Integer, List<MaskingRule>>> assigned = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private PlanBuilder(List<MaskingRule> rules, Collection<TableDefinition> definitions, Policy policy) {
        this.rules = rules;
        this.policy = policy;
        definitions.forEach(table -> tables.put(table.oid(), table));
        this.groups = new KeyGroups(definitions);
    }

    /**
     * A plan for all tables of a database.
     *
     * @param keyId the key that values will be masked under
     * @throws RefusedPlanException with every reason, if the rules cannot be applied
     */
    public static MaskPlan build(
            List<MaskingRule> rules, Collection<TableDefinition> tables, Policy policy, String keyId) {
        return new PlanBuilder(rules, tables, policy).build(keyId);
    }

    private MaskPlan build(String keyId) {
        assignRules();
        extendToChildren();
        extendToKeys();
        if (policy == Policy.MASK_UNDECLARED) {
            maskUndeclared();
        }
        Map<Integer, TablePlan> plans = new HashMap<>();
        Set<Integer> indexes = new HashSet<>();
        for (TableDefinition table : tables.values()) {
            plan(table).ifPresent(plan -> plans.put(table.oid(), plan));
            for (TableDefinition.Index index : table.indexes()) {
                if (index.columns().stream().anyMatch(number -> isMasked(table, number))) {
                    indexes.add(index.oid());
                }
            }
        }
        Set<Integer> views = staleViews();
        if (!problems.isEmpty()) {
            throw new RefusedPlanException(problems);
        }
        return new MaskPlan(keyId, MaskPlan.CODE_VERSION, plans, indexes, views, warnings);
    }

    private void assignRules() {
        for (MaskingRule rule : rules) {
            Optional<TableDefinition> table = tables.values().stream()
                    .filter(each -> each.layout().schema().equals(rule.schema())
                            && each.layout().name().equals(rule.table()))
                    .findFirst();
            if (table.isEmpty()) {
                problems.add(rule.target() + ": there is no table " + rule.schema() + "." + rule.table());
                continue;
            }
            Optional<Attribute> column = table.get().column(rule.column());
            if (column.isEmpty()) {
                problems.add(rule.target() + ": the table has no such column");
                continue;
            }
            rulesOf(table.get(), column.get().number()).add(rule);
        }
    }

    private List<MaskingRule> rulesOf(TableDefinition table, int column) {
        return assigned.computeIfAbsent(table.oid(), oid -> new LinkedHashMap<>())
                .computeIfAbsent(column, number -> new ArrayList<>());
    }

    private List<MaskingRule> assignedTo(TableDefinition table, int column) {
        return assigned.getOrDefault(table.oid(), Map.of()).getOrDefault(column, List.of());
    }

    private boolean isMasked(TableDefinition table, int column) {
        return assignedTo(table, column).stream().anyMatch(rule -> !rule.isKeep());
    }

    /** A child's rows are its parent's too: it is masked like it, unless it has rules for the column itself. */
    private void extendToChildren() {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (TableDefinition child : tables.values()) {
                for (int oid : child.parents()) {
                    TableDefinition parent = tables.get(oid);
                    changed |= parent != null && inherit(parent, child);
                }
            }
        }
    }

    private boolean inherit(TableDefinition parent, TableDefinition child) {
        boolean changed = false;
        for (Map.Entry<Integer, List<MaskingRule>> each :
                List.copyOf(assigned.getOrDefault(parent.oid(), Map.of()).entrySet())) {
            String name = parent.layout().attributes().get(each.getKey() - 1).name();
            Optional<Attribute> column = child.column(name);
            if (column.isPresent() && assignedTo(child, column.get().number()).isEmpty()) {
                rulesOf(child, column.get().number()).addAll(each.getValue());
                changed = true;
            }
        }
        return changed;
    }

    /** Masking a key masks what refers to it. */
    private void extendToKeys() {
        Map<Member, List<MaskingRule>> extended = new LinkedHashMap<>();
        for (TableDefinition table : tables.values()) {
            for (Attribute column : table.layout().attributes()) {
                List<MaskingRule> own = assignedTo(table, column.number());
                if (own.isEmpty()) {
                    continue;
                }
                for (Member member : groups.of(table, column)) {
                    List<MaskingRule> others =
                            assignedTo(member.table(), member.column().number());
                    if (others.isEmpty()) {
                        List<MaskingRule> before = extended.putIfAbsent(member, own);
                        others = before == null ? own : before;
                    }
                    if (!calls(others).equals(calls(own))) {
                        problems.add(table.layout().qualifiedName() + "." + column.name() + " and " + member.name()
                                + " are connected by a foreign key, and have different rules: give both the same");
                    }
                }
            }
        }
        extended.forEach((member, inherited) ->
                rulesOf(member.table(), member.column().number()).addAll(inherited));
    }

    private static List<String> calls(List<MaskingRule> of) {
        return of.stream()
                .map(rule -> rule.call() + " " + rule.path() + " " + rule.when())
                .toList();
    }

    private void maskUndeclared() {
        for (TableDefinition table : tables.values()) {
            for (Attribute column : table.layout().attributes()) {
                if (column.dropped()
                        || column.generated() == 'v'
                        || !assignedTo(table, column.number()).isEmpty()) {
                    continue;
                }
                List<Member> group = groups.of(table, column);
                if (table.partitionKey().contains(column.number())) {
                    problems.add(name(table, column)
                            + " has no rule and cannot be masked, as the table is partitioned by it:"
                            + " declare it safe with keep()");
                    continue;
                }
                boolean key = group.size() > 1 || table.isUnique(column.number());
                String function = key ? "pseudonym()" : "blank()";
                String schema = table.layout().schema();
                String relation = table.layout().name();
                rulesOf(table, column.number())
                        .add(new MaskingRule(
                                schema, relation, column.name(), null, FunctionCall.parse(function), null));
                warnings.add(name(table, column) + " has no rule and is masked with " + function);
            }
        }
        extendToKeys();
    }

    private static String name(TableDefinition table, Attribute column) {
        return table.layout().qualifiedName() + "." + column.name();
    }

    private Optional<TablePlan> plan(TableDefinition table) {
        List<ColumnMask> masks = new ArrayList<>();
        Map<String, String> descriptions = new LinkedHashMap<>();
        for (Attribute column : table.layout().attributes()) {
            if (isMasked(table, column.number())) {
                try {
                    ColumnRules bound = ColumnRules.bind(
                            table, column, assignedTo(table, column.number()), groups.of(table, column));
                    masks.add(bound.mask());
                    descriptions.put(column.name(), bound.description());
                } catch (RefusedFunctionException e) {
                    problems.add(name(table, column) + ": " + e.getMessage());
                }
            } else if (column.generated() == 's') {
                checkGenerated(table, column);
            }
        }
        boolean dropped = table.layout().attributes().stream().anyMatch(Attribute::dropped);
        return masks.isEmpty() && !dropped
                ? Optional.empty()
                : Optional.of(new TablePlan(table.layout(), masks, descriptions));
    }

    /** What is generated from a masked column holds its originals. */
    private void checkGenerated(TableDefinition table, Attribute column) {
        for (int source : table.generatedFrom().getOrDefault(column.number(), Set.of())) {
            if (isMasked(table, source) && assignedTo(table, column.number()).isEmpty()) {
                problems.add(name(table, column) + " is generated from the masked column "
                        + table.layout().attributes().get(source - 1).name()
                        + " and stores its values: give it a rule of its own");
            }
        }
    }

    /** Views that read masked tables, directly or through other such views. */
    private Set<Integer> staleViews() {
        Set<Integer> stale = new LinkedHashSet<>();
        boolean changed = true;
        while (changed) {
            changed = false;
            for (TableDefinition view : tables.values()) {
                boolean reads = view.dependsOn().stream().anyMatch(oid -> stale.contains(oid) || hasMaskedColumns(oid));
                if (view.kind() == TableDefinition.Kind.MATERIALIZED_VIEW && reads && !hasMaskedColumns(view.oid())) {
                    changed |= stale.add(view.oid());
                }
            }
        }
        stale.forEach(oid -> warnings.add("the materialized view "
                + java.util.Objects.requireNonNull(tables.get(oid)).layout().qualifiedName()
                + " reads masked tables: it is empty until it is refreshed"));
        return stale;
    }

    private boolean hasMaskedColumns(int oid) {
        return assigned.getOrDefault(oid, Map.of()).values().stream()
                .flatMap(List::stream)
                .anyMatch(rule -> !rule.isKeep());
    }
}
