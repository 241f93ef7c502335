package dev.coppice.proxy.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.http.json.JsonText;
import dev.coppice.proxy.http.json.JsonValue;
import dev.coppice.proxy.http.request.SqlRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the results of a request as JSON while they come: {@code {"fields": [...], "rows": [...], "command": "SELECT",
 * "rowCount": 1, "rowAsArray": true}} for each statement, in {@code {"results": [...]}} for a batch.
 */
final class ResultWriter {
    /** In a RowDescription, behind the column's name: table, column, type, size, modifier, format. */
    private static final int FIELD_BYTES = 18;

    private record Field(String name, int type) {}

    private final ByteBuf out;
    private final boolean batch;
    private final boolean rawText;
    private final boolean arrayMode;
    private final int maxBytes;
    private final MemoryBudget.Share memory;
    private final List<Field> fields = new ArrayList<>();
    private boolean rowsAsArrays;
    private int results;
    private int rows;
    private int chargedBytes;
    private boolean starved;

    /**
     * @param batch whether there are several
     * @param rawText whether values stay text
     * @param arrayMode whether rows are arrays, unless a statement says otherwise
     * @param maxBytes see {@link #tooLarge}
     * @param memory that is used up as the results grow; see {@link #starved}
     */
    ResultWriter(
            ByteBufAllocator alloc,
            boolean batch,
            boolean rawText,
            boolean arrayMode,
            int maxBytes,
            MemoryBudget.Share memory) {
        this.out = alloc.buffer();
        this.batch = batch;
        this.rawText = rawText;
        this.arrayMode = arrayMode;
        this.maxBytes = maxBytes;
        this.memory = memory;
        if (batch) {
            JsonText.raw(out, "{\"results\":[");
        }
    }

    /** Whether more was written than is allowed; nothing more should be. */
    boolean tooLarge() {
        return out.readableBytes() > maxBytes;
    }

    /** Whether there is no memory for what was written; nothing more should be. */
    boolean starved() {
        return starved;
    }

    /** Begins the result of a statement, with the body of its RowDescription; null when it returns no rows. */
    void begin(SqlRequest.Statement statement, @Nullable ByteBuf rowDescription) {
        rowsAsArrays = statement.arrayMode().orElse(arrayMode);
        fields.clear();
        rows = 0;
        if (results++ > 0) {
            out.writeByte(',');
        }
        JsonText.raw(out, "{\"fields\":[");
        if (rowDescription != null) {
            fields(rowDescription);
        }
        JsonText.raw(out, "],\"rows\":[");
    }

    private void fields(ByteBuf in) {
        int count = in.readUnsignedShort();
        for (int i = 0; i < count; i++) {
            int nameBytes = in.bytesBefore((byte) 0);
            if (nameBytes < 0 || in.readableBytes() < nameBytes + 1 + FIELD_BYTES) {
                throw new IndexOutOfBoundsException("RowDescription is cut short");
            }
            String name = in.readCharSequence(nameBytes, UTF_8).toString();
            in.skipBytes(1);
            int table = in.readInt();
            int column = in.readShort();
            int type = in.readInt();
            int size = in.readShort();
            int modifier = in.readInt();
            in.skipBytes(Short.BYTES);
            fields.add(new Field(name, type));
            if (i > 0) {
                out.writeByte(',');
            }
            JsonText.raw(out, "{\"name\":");
            JsonText.string(out, name);
            JsonText.raw(
                    out,
                    ",\"dataTypeID\":" + Integer.toUnsignedString(type) + ",\"tableID\":"
                            + Integer.toUnsignedString(table) + ",\"columnID\":" + column + ",\"dataTypeSize\":" + size
                            + ",\"dataTypeModifier\":" + modifier + ",\"format\":\"text\"}");
        }
    }

    /** Appends the body of a DataRow. */
    void row(ByteBuf in) {
        if (rows++ > 0) {
            out.writeByte(',');
        }
        out.writeByte(rowsAsArrays ? '[' : '{');
        int count = in.readUnsignedShort();
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                out.writeByte(',');
            }
            Field field = fields.get(i);
            if (!rowsAsArrays) {
                JsonText.name(out, field.name);
            }
            int length = in.readInt();
            if (length < 0) {
                JsonText.string(out, null);
            } else {
                value(field, in, length);
                in.skipBytes(length);
            }
        }
        out.writeByte(rowsAsArrays ? ']' : '}');
        charge();
    }

    private void charge() {
        int grown = out.readableBytes() - chargedBytes;
        if (!starved && grown > 0) {
            starved = !memory.take(grown);
            chargedBytes += grown;
        }
    }

    private void value(Field field, ByteBuf in, int length) {
        if (in.readableBytes() < length) {
            throw new IndexOutOfBoundsException("DataRow is cut short");
        }
        if (rawText) {
            JsonText.string(out, in, in.readerIndex(), length);
        } else {
            JsonValue.append(out, field.type, in, in.readerIndex(), length);
        }
    }

    /**
     * Ends the result of a statement.
     *
     * @param tag of its CommandComplete, as in {@code INSERT 0 5}; empty for an empty query
     */
    void complete(String tag) {
        String[] words = tag.split(" ", -1);
        String command = words[0];
        String count = words.length > 1 ? words[words.length - 1] : "";
        JsonText.raw(out, "],\"command\":");
        JsonText.string(out, command);
        boolean counted = !count.isEmpty() && count.chars().allMatch(c -> c >= '0' && c <= '9');
        JsonText.raw(out, ",\"rowCount\":" + (counted ? count : "null") + ",\"rowAsArray\":" + rowsAsArrays + "}");
    }

    /** The whole; the caller releases it. */
    ByteBuf finish() {
        if (batch) {
            JsonText.raw(out, "]}");
        }
        return out;
    }

    /** The results are not wanted. */
    void discard() {
        out.release();
    }
}
