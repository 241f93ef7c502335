package dev.coppice.masking.page;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PgArray;
import dev.coppice.masking.format.PgArray.ElementLayout;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How pg_attribute is masked: {@code attmissingval} holds the default of an added column, which rows from before show. What belongs to a
 * masked column is masked like its values, what belongs to a column that is shown stays, and everything else is NULL, such as
 * the rows of dropped tables. {@code attfdwoptions} is always NULL.
 */
public final class MissingValues {
    private record Id(int table, int column) {}

    private final Map<Id, ColumnMask.Case> masked = new HashMap<>();
    private final Set<Id> shown = new HashSet<>();

    private final int numberOfAttnum;

    /** @param pgAttribute the layout of pg_attribute, whose columns moved between versions */
    public MissingValues(RelationLayout pgAttribute) {
        this.numberOfAttnum = pgAttribute.attributes().stream()
                .filter(attribute -> attribute.name().equals("attnum"))
                .findFirst()
                .map(Attribute::number)
                .orElseThrow(() -> new IllegalArgumentException("pg_attribute has no attnum"));
    }

    /** Adds a table. */
    public void add(RelationLayout table, List<ColumnMask> masks) {
        for (Attribute attribute : table.attributes()) {
            if (!attribute.dropped()) {
                shown.add(new Id(table.oid(), attribute.number()));
            }
        }
        for (ColumnMask mask : masks) {
            Id id = new Id(table.oid(), mask.number());
            Attribute attribute = table.attributes().get(mask.number() - 1);
            shown.remove(id);
            ValueMask element = mask.cases().getFirst().mask();
            masked.put(
                    id,
                    new ColumnMask.Case(
                            row -> id.equals(id(row)),
                            new Element(element, new ElementLayout(attribute.length(), attribute.alignment()))));
        }
    }

    /**
     * The masks of pg_attribute.
     *
     * @param pgAttribute its layout
     */
    public List<ColumnMask> masks(RelationLayout pgAttribute) {
        List<ColumnMask> masks = new ArrayList<>();
        for (Attribute attribute : pgAttribute.attributes()) {
            if (attribute.name().equals("attmissingval")) {
                List<ColumnMask.Case> cases = new ArrayList<>(masked.values());
                Set<Id> visible = Set.copyOf(shown);
                cases.add(new ColumnMask.Case(row -> !visible.contains(id(row)), new Nothing()));
                masks.add(new ColumnMask(attribute.number(), cases, false));
            } else if (attribute.name().equals("attfdwoptions")) {
                masks.add(ColumnMask.always(attribute.number(), new Nothing(), false));
            }
        }
        return masks;
    }

    /** Whose row of pg_attribute it is: attrelid comes first in every version. */
    private @Nullable Id id(RowCondition.Row row) {
        return row.field(1) instanceof RowCondition.Value(byte[] table)
                        && row.field(numberOfAttnum) instanceof RowCondition.Value(byte[] column)
                ? new Id(LittleEndian.i32(table, 0), (short) LittleEndian.u16(column, 0))
                : null;
    }

    /** Masks the one element of an array; NULL where the masked value is. */
    private record Element(ValueMask element, ElementLayout layout) implements ValueMask {
        @Override
        public byte @Nullable [] mask(PseudoRandom random, byte[] value) {
            PgArray array = PgArray.decode(value, layout);
            if (array.elements().size() != 1 || array.elements().getFirst() == null) {
                return null;
            }
            byte[] stored = array.elements().getFirst();
            byte[] payload = layout.length() > 0 ? stored : Varlena.payload(stored, 0, stored.length);
            byte[] result = element.mask(random, payload);
            if (result == null) {
                return null;
            }
            byte[] kept = layout.length() > 0 ? result : Varlena.plainForm(result);
            byte[] whole = new PgArray(array.header(), array.hasNullBitmap(), List.of(kept)).encode(layout);
            return whole.length <= value.length ? whole : null;
        }

        @Override
        public byte @Nullable [] substitute(PseudoRandom random, byte[] identity) {
            return null;
        }

        @Override
        public byte[] shorten(byte[] value, int capacity) {
            byte[] blank = element.blank();
            if (blank == null) {
                throw new UnmaskableValueException("the default of an added column has no masked form that fits");
            }
            PgArray array = PgArray.decode(value, layout);
            return new PgArray(array.header(), array.hasNullBitmap(), List.of(Varlena.plainForm(blank))).encode(layout);
        }

        @Override
        public byte @Nullable [] blank() {
            return null;
        }
    }

    /** NULL. pg_attribute's last columns may always be NULL: most rows have no access list, so there is a bitmap. */
    private record Nothing() implements ValueMask {
        @Override
        public byte @Nullable [] mask(PseudoRandom random, byte[] value) {
            return null;
        }

        @Override
        public byte @Nullable [] substitute(PseudoRandom random, byte[] identity) {
            return null;
        }

        @Override
        public byte[] shorten(byte[] value, int capacity) {
            return value;
        }

        @Override
        public byte @Nullable [] blank() {
            return null;
        }
    }
}
