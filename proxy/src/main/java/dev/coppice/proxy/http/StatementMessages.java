package dev.coppice.proxy.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.http.request.SqlRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The messages of an extended query: for each statement Parse, Bind, Describe and Execute, and one Sync behind all. */
final class StatementMessages {
    private static final int ALL_ROWS = 0;

    private StatementMessages() {}

    /** @param begin a statement that comes before those of the request */
    static ByteBuf encode(ByteBufAllocator alloc, Optional<String> begin, List<SqlRequest.Statement> statements) {
        ByteBuf out = alloc.buffer();
        begin.ifPresent(sql -> statement(out, sql, List.of()));
        statements.forEach(each -> statement(out, each.query(), each.parameters()));
        return out.writeByte('S').writeInt(Integer.BYTES);
    }

    private static void statement(ByteBuf out, String query, List<@Nullable String> parameters) {
        int parse = begin(out, 'P');
        out.writeByte(0);
        out.writeCharSequence(query, UTF_8);
        out.writeByte(0).writeShort(0);
        end(out, parse);

        int bind = begin(out, 'B');
        // The unnamed portal and statement; no format codes: everything is text.
        out.writeByte(0).writeByte(0).writeShort(0).writeShort(parameters.size());
        for (String parameter : parameters) {
            if (parameter == null) {
                out.writeInt(-1);
            } else {
                int lengthAt = out.writerIndex();
                out.writeInt(0);
                out.writeCharSequence(parameter, UTF_8);
                out.setInt(lengthAt, out.writerIndex() - lengthAt - Integer.BYTES);
            }
        }
        out.writeShort(0);
        end(out, bind);

        int describe = begin(out, 'D');
        out.writeByte('P').writeByte(0);
        end(out, describe);

        int execute = begin(out, 'E');
        out.writeByte(0).writeInt(ALL_ROWS);
        end(out, execute);
    }

    /** @return where the length is */
    private static int begin(ByteBuf out, char type) {
        out.writeByte(type).writeInt(0);
        return out.writerIndex() - Integer.BYTES;
    }

    private static void end(ByteBuf out, int lengthAt) {
        out.setInt(lengthAt, out.writerIndex() - lengthAt);
    }
}
