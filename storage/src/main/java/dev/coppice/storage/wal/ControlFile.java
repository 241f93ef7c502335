package dev.coppice.storage.wal;

import dev.coppice.storage.fault.StorageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What is needed of {@code global/pg_control} (src/include/catalog/pg_control.h; the offsets are the same in 14 to 18).
 *
 * @param state DBState
 * @param checkPoint position of the last checkpoint record
 * @param redo where recovery would begin
 */
public record ControlFile(int state, long checkPoint, long redo) {
    /** Path in the data directory. */
    public static final String PATH = "global/pg_control";

    /** DB_SHUTDOWNED: shut down cleanly. */
    public static final int SHUT_DOWN = 1;

    private static final int MIN_SIZE = 48;

    /**
     * Reads the fields.
     *
     * @param source names the cluster in errors
     */
    public static ControlFile parse(byte[] bytes, Object source) {
        if (bytes.length < MIN_SIZE) {
            throw new StorageException(source + ": pg_control has only " + bytes.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return new ControlFile(buffer.getInt(16), buffer.getLong(32), buffer.getLong(40));
    }
}
