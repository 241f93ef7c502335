package dev.coppice.masking.layout;

import java.util.List;

/**
 * A relation with a heap, as its pages need it.
 *
 * @param oid pg_class.oid
 * @param attributes all with attnum 1, 2, ... in order, dropped ones too
 */
public record RelationLayout(int oid, String schema, String name, List<Attribute> attributes) {
    /** Postgres's own limit on columns. */
    public static final int MAX_ATTRIBUTES = 1600;

    public RelationLayout {
        attributes = List.copyOf(attributes);
        if (attributes.size() > MAX_ATTRIBUTES) {
            throw new IllegalArgumentException(name + " has " + attributes.size() + " columns");
        }
        for (int i = 0; i < attributes.size(); i++) {
            if (attributes.get(i).number() != i + 1) {
                throw new IllegalArgumentException("the columns of " + name + " do not follow each other at "
                        + attributes.get(i).name());
            }
        }
    }

    /** For messages. */
    public String qualifiedName() {
        return schema + "." + name;
    }
}
