package dev.coppice.masking.page;

import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;

/** Where the attributes of a tuple lie, as heap_deform_tuple() finds them. Used for one tuple after the other. */
final class TupleWalk {
    /** {@link #start}: the attribute is NULL. */
    static final int NULL = -1;

    private final RelationLayout layout;
    private final int[] starts;
    private final int[] ends;
    private byte[] page = new byte[0];
    private int offset;
    private int count;

    TupleWalk(RelationLayout layout) {
        this.layout = layout;
        this.starts = new int[layout.attributes().size()];
        this.ends = new int[layout.attributes().size()];
    }

    /**
     * Walks a tuple to its last byte.
     *
     * @throws MalformedPageException if it does not end where its attributes do
     */
    void walk(byte[] source, int tuple, int length) {
        page = source;
        offset = tuple;
        count = LittleEndian.u16(source, tuple + HeapFormat.INFOMASK2_AT) & HeapFormat.NATTS_MASK;
        boolean nullable = nullable();
        int hoff = dataOffset();
        if (count > starts.length) {
            throw malformed("has " + count + " attributes, and the table " + starts.length);
        }
        if (hoff < HeapFormat.dataOffset(count, nullable) || hoff % 8 != 0 || hoff > length) {
            throw malformed("has its data at " + hoff + " of " + length);
        }
        int at = tuple + hoff;
        int end = tuple + length;
        for (int i = 0; i < count; i++) {
            if (nullable && (source[tuple + HeapFormat.BITMAP_AT + i / 8] & 1 << i % 8) == 0) {
                starts[i] = NULL;
                continue;
            }
            Attribute attribute = layout.attributes().get(i);
            at = aligned(attribute, at, end);
            starts[i] = at;
            at = at + size(attribute, at, end);
            ends[i] = at;
        }
        if (at != end) {
            throw malformed("has " + (end - at) + " bytes behind its last attribute");
        }
    }

    private int aligned(Attribute attribute, int at, int end) {
        if (attribute.isVarlena() && at < end && page[at] != 0) {
            return at;
        }
        return offset + HeapFormat.alignUp(at - offset, attribute.alignment());
    }

    private int size(Attribute attribute, int at, int end) {
        if (attribute.length() > 0) {
            if (attribute.length() > end - at) {
                throw malformed("ends inside of " + attribute.name());
            }
            return attribute.length();
        }
        if (at >= end) {
            throw malformed("ends before " + attribute.name());
        }
        if (attribute.isVarlena()) {
            try {
                return Varlena.size(page, at, end);
            } catch (MalformedValueException e) {
                throw malformed("has a bad " + attribute.name() + ": " + e.getMessage());
            }
        }
        int terminator = at;
        while (terminator < end && page[terminator] != 0) {
            terminator++;
        }
        if (terminator == end) {
            throw malformed("has no end of " + attribute.name());
        }
        return terminator + 1 - at;
    }

    static MalformedPageException malformed(String what) {
        return new MalformedPageException("a tuple " + what);
    }

    /** How many attributes the tuple has: later ones have their default. */
    int count() {
        return count;
    }

    boolean nullable() {
        return (LittleEndian.u16(page, offset + HeapFormat.INFOMASK_AT) & HeapFormat.HAS_NULL) != 0;
    }

    /** From the tuple's start, in bytes. */
    int dataOffset() {
        return page[offset + HeapFormat.HOFF_AT] & 0xFF;
    }

    /** Where in the page an attribute begins (index from 0), or {@link #NULL}. */
    int start(int index) {
        return starts[index];
    }

    int size(int index) {
        return ends[index] - starts[index];
    }

    byte[] page() {
        return page;
    }
}
