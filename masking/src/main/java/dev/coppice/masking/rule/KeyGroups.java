package dev.coppice.masking.rule;

import dev.coppice.masking.layout.Attribute;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Columns that must be masked alike because foreign keys compare them: the connected parts of their graph. */
final class KeyGroups {
    /** A column of a table. */
    record Member(TableDefinition table, Attribute column) {
        String name() {
            return table.layout().qualifiedName() + "." + column.name();
        }
    }

    private record Id(int table, int column) {}

    private final Map<Id, Set<Id>> neighbours = new LinkedHashMap<>();
    private final Map<Integer, TableDefinition> tables = new LinkedHashMap<>();

    KeyGroups(Collection<TableDefinition> definitions) {
        definitions.forEach(table -> tables.put(table.oid(), table));
        for (TableDefinition table : definitions) {
            for (TableDefinition.ForeignKey key : table.foreignKeys()) {
                if (tables.containsKey(key.referenced())) {
                    for (int i = 0; i < key.columns().size(); i++) {
                        connect(
                                new Id(table.oid(), key.columns().get(i)),
                                new Id(key.referenced(), key.referencedColumns().get(i)));
                    }
                }
            }
        }
    }

    private void connect(Id first, Id second) {
        neighbours.computeIfAbsent(first, id -> new LinkedHashSet<>()).add(second);
        neighbours.computeIfAbsent(second, id -> new LinkedHashSet<>()).add(first);
    }

    /** The columns that must be masked like this one, itself included; of one member if no foreign key names it. */
    List<Member> of(TableDefinition table, Attribute column) {
        Set<Id> found = new LinkedHashSet<>();
        collect(new Id(table.oid(), column.number()), found);
        return found.stream().map(this::member).toList();
    }

    private void collect(Id id, Set<Id> found) {
        if (found.add(id)) {
            neighbours.getOrDefault(id, Set.of()).forEach(next -> collect(next, found));
        }
    }

    private Member member(Id id) {
        TableDefinition table =
                java.util.Objects.requireNonNull(tables.get(id.table()), "only known tables are connected");
        return new Member(table, table.layout().attributes().get(id.column() - 1));
    }
}
