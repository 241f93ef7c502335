package dev.coppice.proxy.pool.statement;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * What a server says of a statement it has prepared: the types of its parameters, also of those that the client left open, and the
 * columns of its result. Immutable.
 */
public final class StatementShape {
    private static final int HEADER_BYTES = 5;
    private static final int TYPE_BYTES = Integer.BYTES;
    /** Of a column, between its name and its type: the table, and the column's number in it. */
    private static final int ORIGIN_BYTES = Integer.BYTES + Short.BYTES;
    /** Behind the type: its length, which follows from it. */
    private static final int LENGTH_BYTES = Short.BYTES;

    private final byte[] parameterTypes;
    private final byte[] result;

    private StatementShape(byte[] parameterTypes, byte[] result) {
        this.parameterTypes = parameterTypes;
        this.result = result;
    }

    /**
     * Of a ParameterDescription: Int16 number, then for each Int32 type.
     *
     * @return object ids, four bytes each
     */
    public static byte[] parameterTypes(ByteBuf in, int totalBytes) {
        int start = in.readerIndex() + HEADER_BYTES + Short.BYTES;
        return ByteBufUtil.getBytes(in, start, Math.max(0, in.readerIndex() + totalBytes - start), true);
    }

    /**
     * With the result of a RowDescription, or NoData. What Postgres compares counts (equalRowTypes): names, types and their
     * modifiers, in order.
     *
     */
    public static StatementShape of(byte[] parameterTypes, ByteBuf in, int totalBytes) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        digest.update(in.getByte(in.readerIndex()));
        int end = in.readerIndex() + totalBytes;
        int at = in.readerIndex() + HEADER_BYTES + Short.BYTES;
        while (at < end) {
            int zero = in.indexOf(at, end, (byte) 0);
            int type = zero + 1 + ORIGIN_BYTES;
            int modifier = type + TYPE_BYTES + LENGTH_BYTES;
            if (zero < 0 || modifier + TYPE_BYTES > end) {
                break;
            }
            digest.update(ByteBufUtil.getBytes(in, at, zero + 1 - at));
            digest.update(ByteBuffer.allocate(2 * TYPE_BYTES)
                    .putInt(in.getInt(type))
                    .putInt(in.getInt(modifier))
                    .array());
            at = modifier + TYPE_BYTES + Short.BYTES;
        }
        return new StatementShape(parameterTypes, digest.digest());
    }

    /**
     * A Parse of the same query with all types declared, as Postgres itself does when it looks at a statement again.
     *
     * @param content of the client's Parse behind the name: the query, a zero, what was declared
     */
    public byte[] declaredIn(byte[] content) {
        int queryEnd = 0;
        while (queryEnd < content.length && content[queryEnd] != 0) {
            queryEnd++;
        }
        return ByteBuffer.allocate(queryEnd + 1 + Short.BYTES + parameterTypes.length)
                .put(content, 0, queryEnd)
                .put((byte) 0)
                .putShort((short) (parameterTypes.length / TYPE_BYTES))
                .put(parameterTypes)
                .array();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StatementShape shape
                && Arrays.equals(parameterTypes, shape.parameterTypes)
                && Arrays.equals(result, shape.result);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(parameterTypes) + Arrays.hashCode(result);
    }
}
