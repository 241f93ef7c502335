package dev.coppice.masking.page;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Masks tuples of one relation. A masked attribute takes at most the bytes that it took, and alignment never makes an attribute end
 * later when it begins earlier, so no tuple grows. Only NULL can cost bytes, where a tuple gets a null bitmap: it gets one
 * if that fits.
 */
final class TupleMasker implements RowCondition.Row {
    private static final byte[] EMPTY_VARLENA = Varlena.shortForm(new byte[0]);

    private final RelationLayout layout;
    private final @Nullable ColumnMask[] masks;
    private final PseudoRandom random;
    private final TupleWalk walk;

    /** What becomes of each attribute: null for SQL's NULL, else its stored bytes with the header. */
    private final byte[] @Nullable [] stored;
    /** What to store if there is no room for NULL; null if nothing can be. */
    private final byte[] @Nullable [] blanks;

    TupleMasker(RelationLayout layout, List<ColumnMask> columns, PseudoRandom random) {
        this.layout = layout;
        this.random = random;
        this.walk = new TupleWalk(layout);
        int count = layout.attributes().size();
        this.masks = new ColumnMask[count];
        this.stored = new byte[count][];
        this.blanks = new byte[count][];
        columns.forEach(column -> masks[column.number() - 1] = column);
    }

    /**
     * Writes the masked tuple to the same place of another page.
     *
     * @return its length in bytes
     * @throws MalformedPageException if the tuple is not as the layout says
     * @throws UnmaskableValueException if a value has no masked form that fits
     */
    int mask(byte[] source, int offset, int length, byte[] target) {
        walk.walk(source, offset, length);
        int count = walk.count();
        boolean nulls = false;
        for (int i = 0; i < count; i++) {
            blanks[i] = null;
            stored[i] = walk.start(i) == TupleWalk.NULL ? null : attribute(i);
            nulls |= walk.start(i) != TupleWalk.NULL && stored[i] == null;
        }
        int hoff = walk.dataOffset();
        boolean nullable = walk.nullable();
        if (nulls && !nullable) {
            int grown = Math.max(hoff, HeapFormat.dataOffset(count, true));
            if (size(grown, count) <= length) {
                hoff = grown;
                nullable = true;
            } else {
                fillWithBlanks(count);
            }
        }
        return write(source, offset, target, hoff, nullable, count);
    }

    private byte @Nullable [] attribute(int index) {
        Attribute attribute = layout.attributes().get(index);
        int start = walk.start(index);
        int size = walk.size(index);
        ColumnMask column = masks[index];
        if (attribute.dropped()) {
            blanks[index] = attribute.isVarlena() ? EMPTY_VARLENA : new byte[attribute.length() > 0 ? size : 1];
            return null;
        }
        if (column != null) {
            for (ColumnMask.Case each : column.cases()) {
                if (each.condition().holds(this)) {
                    return masked(index, attribute, column, each.mask());
                }
            }
        }
        return Arrays.copyOfRange(walk.page(), start, start + size);
    }

    private byte @Nullable [] masked(int index, Attribute attribute, ColumnMask column, ValueMask mask) {
        int start = walk.start(index);
        int size = walk.size(index);
        byte[] page = walk.page();
        try {
            if (!attribute.isVarlena()) {
                byte[] result = mask.mask(random, Arrays.copyOfRange(page, start, start + size));
                blanks[index] = result == null ? mask.blank() : null;
                if (result != null && result.length != size) {
                    throw new IllegalStateException("the mask of " + attribute.name() + " changed its length");
                }
                return result;
            }
            Varlena.Form form = Varlena.form(page, start);
            byte[] result = form == Varlena.Form.EXTERNAL
                    ? substitute(attribute, column, mask, page, start)
                    : mask.mask(random, Varlena.payload(page, start, size));
            if (result == null) {
                byte[] blank = mask.blank();
                blanks[index] = blank == null ? null : store(attribute, column, mask, blank, form, size);
                return null;
            }
            return store(attribute, column, mask, result, form, size);
        } catch (MalformedValueException e) {
            throw new MalformedPageException(
                    "a value of " + attribute.name() + " cannot be read: " + e.getMessage(), e);
        }
    }

    private byte @Nullable [] substitute(
            Attribute attribute, ColumnMask column, ValueMask mask, byte[] page, int start) {
        if (column.exact()) {
            throw new UnmaskableValueException("a value of " + attribute.name()
                    + ", which must stay unique or equal to others, is stored out of line, where it cannot be masked:"
                    + " ALTER TABLE ... ALTER COLUMN ... SET STORAGE MAIN and rewrite the row, or mask another column");
        }
        // The pointer without its header and method: sizes, value and TOAST table.
        return mask.substitute(random, Arrays.copyOfRange(page, start + 2, start + Varlena.POINTER_SIZE));
    }

    /** The masked payload in the form of the original, and in as few bytes. */
    private byte[] store(
            Attribute attribute, ColumnMask column, ValueMask mask, byte[] payload, Varlena.Form form, int size) {
        byte[] result = switch (form) {
            case SHORT, EXTERNAL -> Varlena.shortForm(payload);
            case PLAIN -> Varlena.plainForm(payload);
            case COMPRESSED -> compressed(attribute, column, mask, payload, size);
        };
        if (result.length > size) {
            throw new IllegalStateException("the mask of " + attribute.name() + " returned more bytes than it got");
        }
        return result;
    }

    private byte[] compressed(Attribute attribute, ColumnMask column, ValueMask mask, byte[] payload, int size) {
        if (Varlena.HEADER + payload.length <= size) {
            return Varlena.plainForm(payload);
        }
        byte[] packed = Varlena.compressedForm(payload);
        if (packed.length <= size) {
            return packed;
        }
        if (column.exact()) {
            throw new UnmaskableValueException(
                    "a masked value of " + attribute.name()
                            + ", which must stay unique or equal to others, does not compress as well as the original:"
                            + " ALTER TABLE ... ALTER COLUMN ... SET STORAGE EXTERNAL and rewrite the row, or mask another column");
        }
        return Varlena.plainForm(mask.shorten(payload, size - Varlena.HEADER));
    }

    private void fillWithBlanks(int count) {
        for (int i = 0; i < count; i++) {
            if (stored[i] == null && walk.start(i) != TupleWalk.NULL) {
                if (blanks[i] == null) {
                    throw new UnmaskableValueException(
                            "a value of "
                                    + layout.attributes().get(i).name()
                                    + " cannot become NULL: the row has too many columns, none of them NULL, and no room to say so");
                }
                stored[i] = blanks[i];
            }
        }
    }

    private int size(int hoff, int count) {
        int at = hoff;
        for (int i = 0; i < count; i++) {
            byte[] value = stored[i];
            if (value != null) {
                at = aligned(i, value, at) + value.length;
            }
        }
        return at;
    }

    private int aligned(int index, byte[] value, int at) {
        Attribute attribute = layout.attributes().get(index);
        boolean unaligned = attribute.isVarlena() && (value[0] & 1) != 0;
        return unaligned ? at : HeapFormat.alignUp(at, attribute.alignment());
    }

    private int write(byte[] source, int offset, byte[] target, int hoff, boolean nullable, int count) {
        System.arraycopy(source, offset, target, offset, HeapFormat.BITMAP_AT);
        int infomask = LittleEndian.u16(source, offset + HeapFormat.INFOMASK_AT)
                & ~(HeapFormat.HAS_NULL | HeapFormat.HAS_VARWIDTH | HeapFormat.HAS_EXTERNAL);
        infomask |= nullable ? HeapFormat.HAS_NULL : 0;
        int at = offset + hoff;
        for (int i = 0; i < count; i++) {
            byte[] value = stored[i];
            if (value == null) {
                continue;
            }
            if (nullable) {
                target[offset + HeapFormat.BITMAP_AT + i / 8] |= (byte) (1 << i % 8);
            }
            Attribute attribute = layout.attributes().get(i);
            infomask |= attribute.length() < 0 ? HeapFormat.HAS_VARWIDTH : 0;
            infomask |= attribute.isVarlena() && value[0] == 1 ? HeapFormat.HAS_EXTERNAL : 0;
            at = offset + aligned(i, value, at - offset);
            System.arraycopy(value, 0, target, at, value.length);
            at += value.length;
        }
        LittleEndian.put16(target, offset + HeapFormat.INFOMASK_AT, infomask);
        target[offset + HeapFormat.HOFF_AT] = (byte) hoff;
        return at - offset;
    }

    @Override
    public RowCondition.Field field(int number) {
        int index = number - 1;
        Attribute attribute = layout.attributes().get(index);
        if (index >= walk.count()) {
            byte[] missing = attribute.missing();
            return missing == null ? RowCondition.Absent.NULL : new RowCondition.Value(missing);
        }
        int start = walk.start(index);
        if (start == TupleWalk.NULL) {
            return RowCondition.Absent.NULL;
        }
        int size = walk.size(index);
        if (!attribute.isVarlena()) {
            return new RowCondition.Value(Arrays.copyOfRange(walk.page(), start, start + size));
        }
        if (Varlena.form(walk.page(), start) == Varlena.Form.EXTERNAL) {
            return RowCondition.Absent.UNREADABLE;
        }
        return new RowCondition.Value(Varlena.payload(walk.page(), start, size));
    }
}
