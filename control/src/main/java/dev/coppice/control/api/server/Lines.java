package dev.coppice.control.api.server;

import io.avaje.jex.http.Context;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** An answer of one JSON object per line, which begins with the first line. For one thread. */
public final class Lines implements AutoCloseable {
    private final Context context;
    private @Nullable OutputStream out;

    Lines(Context context) {
        this.context = context;
    }

    /**
     * Sends a line.
     *
     * @throws ClientGoneException when nobody listens any more
     */
    public void send(Object line) {
        OutputStream stream = out;
        if (stream == null) {
            stream = context.status(200).contentType("application/x-ndjson").outputStream();
            out = stream;
        }
        try {
            stream.write(Json.write(line));
            stream.write('\n');
            stream.flush();
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    /** Whether a line was sent, so that the answer's status is. */
    public boolean begun() {
        return out != null;
    }

    @Override
    public void close() throws IOException {
        OutputStream stream = out;
        if (stream != null) {
            stream.close();
        }
    }
}
