package dev.coppice.proxy.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.json.JsonText;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.pgwire.PgError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The body of a response that says what is wrong: {@code message}, and the fields of an ErrorResponse under the names that
 * node's {@code pg} gives them, null where there is nothing to say.
 */
final class ErrorBody {
    /** By the field's code (https://www.postgresql.org/docs/current/protocol-error-fields.html). */
    private static final Map<Byte, String> NAMES = new LinkedHashMap<>();

    static {
        NAMES.put((byte) 'M', "message");
        NAMES.put((byte) 'C', "code");
        NAMES.put((byte) 'S', "severity");
        NAMES.put((byte) 'D', "detail");
        NAMES.put((byte) 'H', "hint");
        NAMES.put((byte) 'P', "position");
        NAMES.put((byte) 'p', "internalPosition");
        NAMES.put((byte) 'q', "internalQuery");
        NAMES.put((byte) 'W', "where");
        NAMES.put((byte) 's', "schema");
        NAMES.put((byte) 't', "table");
        NAMES.put((byte) 'c', "column");
        NAMES.put((byte) 'd', "dataType");
        NAMES.put((byte) 'n', "constraint");
        NAMES.put((byte) 'F', "file");
        NAMES.put((byte) 'L', "line");
        NAMES.put((byte) 'R', "routine");
    }

    private ErrorBody() {}

    /** Of an error of ours. */
    static ByteBuf of(ByteBufAllocator alloc, PgError error) {
        Map<Byte, String> fields = new HashMap<>();
        fields.put((byte) 'M', error.message());
        fields.put((byte) 'C', error.state().code());
        fields.put((byte) 'S', "ERROR");
        error.hint().ifPresent(hint -> fields.put((byte) 'H', hint));
        return write(alloc, fields);
    }

    /** Of a request that was not understood. */
    static ByteBuf of(ByteBufAllocator alloc, BadRequestException problem) {
        return of(alloc, PgError.of(SqlState.PROTOCOL_VIOLATION, String.valueOf(problem.getMessage())));
    }

    /** Of the body of an ErrorResponse: (Byte1 code, String value)*, Byte1(0). */
    static ByteBuf ofErrorResponse(ByteBufAllocator alloc, ByteBuf body) {
        Map<Byte, String> fields = new HashMap<>();
        int at = body.readerIndex();
        while (at < body.writerIndex() && body.getByte(at) != 0) {
            int end = body.indexOf(at + 1, body.writerIndex(), (byte) 0);
            if (end < 0) {
                break;
            }
            fields.put(body.getByte(at), body.toString(at + 1, end - at - 1, UTF_8));
            at = end + 1;
        }
        return write(alloc, fields);
    }

    private static ByteBuf write(ByteBufAllocator alloc, Map<Byte, String> fields) {
        ByteBuf out = alloc.buffer().writeByte('{');
        NAMES.forEach((code, name) -> {
            if (out.readableBytes() > 1) {
                out.writeByte(',');
            }
            JsonText.name(out, name);
            JsonText.string(out, fields.get(code));
        });
        return out.writeByte('}');
    }
}
