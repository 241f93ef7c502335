package dev.coppice.compute.agent;

import dev.coppice.compute.ComputeUser;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.NoSuchFileInTimelineException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a Postgres process: reads a request, answers it, and so on, on one thread. Whatever goes wrong while an answer is
 * made is an answer, or the process would ask again without end; errors of the protocol end the connection after one that says why.
 */
final class AgentConnection {
    private static final Logger log = LoggerFactory.getLogger(AgentConnection.class);

    /** Room for every answer that is neither pages nor a file nor a directory. */
    private static final int SMALL_ANSWER = 256;

    private static final int MESSAGE_MAX = 2000;

    private final SocketChannel channel;
    private final Timeline timeline;
    private final long epoch;
    private final PageBuffers buffers;
    private final RequestReader request;
    private final ComputeUser user;
    private final Unanswerable failures;
    private final ByteBuffer small = ByteBuffer.allocateDirect(SMALL_ANSWER).order(ByteOrder.LITTLE_ENDIAN);
    private @Nullable SharedPages shared;

    /** @param user who may read the memory that a connection shares */
    AgentConnection(
            SocketChannel channel,
            Timeline timeline,
            long epoch,
            PageBuffers buffers,
            ComputeUser user,
            Unanswerable failures) {
        this.channel = channel;
        this.timeline = timeline;
        this.epoch = epoch;
        this.buffers = buffers;
        this.user = user;
        this.failures = failures;
        this.request = new RequestReader(channel);
    }

    /** Serves until the other side closes. */
    void run() throws IOException {
        try {
            if (!request.next()) {
                return;
            }
            greet();
            while (request.next()) {
                answer();
            }
        } catch (ProtocolException e) {
            refuse(String.valueOf(e.getMessage()));
            throw e;
        } finally {
            if (shared != null) {
                shared.close();
            }
        }
    }

    private void greet() throws IOException {
        if (request.op() != Protocol.OP_HELLO) {
            throw new ProtocolException("the first request has to be HELLO");
        }
        if (request.count() != Protocol.VERSION) {
            throw new ProtocolException("protocol version " + request.count() + " is not spoken here, only "
                    + Protocol.VERSION + ": restart the compute");
        }
        if (request.first() != epoch) {
            throw new ProtocolException("epoch " + request.first() + " is over; the timeline is in epoch " + epoch);
        }
        begin();
        send(small);
    }

    private void answer() throws IOException {
        log.trace("{} {} {} {}", request.op(), request.path(), request.first(), request.count());
        try {
            switch (request.op()) {
                case Protocol.OP_STAT -> stat();
                case Protocol.OP_READ_PAGES -> readPages();
                case Protocol.OP_READ_FILE -> readFile();
                case Protocol.OP_LIST -> list();
                case Protocol.OP_SHARE -> share();
                case Protocol.OP_READ_SHARED -> readShared();
                case Protocol.OP_READ_BLOCKS -> readBlocks();
                default -> throw new ProtocolException("there is no request " + request.op());
            }
        } catch (NoSuchFileInTimelineException e) {
            // Another process of the compute may have removed it since this one opened it.
            log.debug("Refused: {}", e.getMessage());
            refuse(String.valueOf(e.getMessage()));
        } catch (ProtocolException e) {
            throw e;
        } catch (StorageException e) {
            refuse(failures.note(request.path(), e) + ": " + e.getMessage());
        } catch (RuntimeException | StackOverflowError | LinkageError | AssertionError e) {
            // Other errors are the end of the virtual machine.
            refuse(failures.note(request.path(), e) + ": an error of the server; its log has more under this number");
        }
    }

    /** With a count, also the pages of a file that has no more: most files of a database are small and read at once. */
    private void stat() throws IOException {
        FileStatus status = timeline.stat(request.path());
        int most = request.requireCount(0, Protocol.PAGES_MAX);
        long blocks = (status.size() + Protocol.BLOCK_SIZE - 1) / Protocol.BLOCK_SIZE;
        if (status.kind() == FileKind.FILE && blocks > 0 && blocks <= most && sendWithPages(status, (int) blocks)) {
            return;
        }
        begin();
        small.put(kind(status.kind())).putLong(status.size());
        send(small);
    }

    private boolean sendWithPages(FileStatus status, int count) throws IOException {
        ByteBuffer buffer = buffers.borrow();
        try {
            buffer.position(Protocol.LENGTH_SIZE);
            buffer.put(Protocol.STATUS_OK).put(kind(status.kind())).putLong(status.size());
            int marks = buffer.position();
            buffer.position(marks + count);
            timeline.readPages(request.path(), 0, count, new InLine(buffer, marks, 0));
            send(buffer);
            return true;
        } catch (NoSuchFileInTimelineException _) {
            return false;
        } finally {
            buffers.release(buffer);
        }
    }

    private void readPages() throws IOException {
        int count = requirePages();
        ByteBuffer buffer = buffers.borrow();
        try {
            buffer.position(MARKS + count);
            timeline.readPages(request.path(), request.first(), count, new InLine(buffer, MARKS, request.first()));
            buffer.putInt(0, buffer.position() - Protocol.LENGTH_SIZE);
            buffer.put(Protocol.LENGTH_SIZE, Protocol.STATUS_OK);
            write(buffer.flip());
        } finally {
            buffers.release(buffer);
        }
    }

    private int requirePages() {
        if (request.first() < 0) {
            throw new ProtocolException("there is no block " + Long.toUnsignedString(request.first()));
        }
        return request.requireCount(1, Protocol.PAGES_MAX);
    }

    private void share() throws IOException {
        if (shared == null) {
            shared = SharedPages.create(user).orElse(null);
        }
        begin();
        if (shared != null) {
            small.put(shared.file().toString().getBytes(StandardCharsets.UTF_8));
        }
        send(small);
    }

    private SharedPages requireShared() {
        if (shared == null) {
            throw new ProtocolException("this connection shares no memory");
        }
        shared.unname();
        return shared;
    }

    private void readShared() throws IOException {
        SharedPages memory = requireShared();
        int count = requirePages();
        begin();
        timeline.readPages(
                request.path(), request.first(), count, new InMemory(small, memory.memory(), request.first(), 0));
        small.position(MARKS + count);
        send(small);
    }

    private void readBlocks() throws IOException {
        SharedPages memory = requireShared();
        int count = request.count();
        begin();
        for (int i = 0; i < count; ) {
            long first = Integer.toUnsignedLong(request.block(i));
            int run = 1;
            while (i + run < count && Integer.toUnsignedLong(request.block(i + run)) == first + run) {
                run++;
            }
            timeline.readPages(request.path(), first, run, new InMemory(small, memory.memory(), first, i));
            i += run;
        }
        small.position(MARKS + count);
        send(small);
    }

    private void readFile() throws IOException {
        if (request.first() < 0 || request.first() % Protocol.BLOCK_SIZE != 0) {
            throw new ProtocolException("a file is read from a multiple of " + Protocol.BLOCK_SIZE
                    + " bytes on, not from " + Long.toUnsignedString(request.first()));
        }
        int most = request.requireCount(1, Protocol.FILE_PIECE_MAX);
        FileStatus status = timeline.stat(request.path());
        if (status.kind() != FileKind.FILE) {
            sendAbsent();
            return;
        }
        int length = Math.clamp(status.size() - request.first(), 0, most);
        ByteBuffer buffer = buffers.borrow();
        try {
            buffer.position(Protocol.LENGTH_SIZE);
            buffer.put(Protocol.STATUS_OK).put(Protocol.KIND_FILE).putLong(status.size());
            int start = buffer.position();
            int blocks = (length + Protocol.BLOCK_SIZE - 1) / Protocol.BLOCK_SIZE;
            if (blocks > 0) {
                timeline.readPages(request.path(), request.first() / Protocol.BLOCK_SIZE, blocks, new InOrder(buffer));
            }
            buffer.position(start + length);
            send(buffer);
        } catch (NoSuchFileInTimelineException _) {
            sendAbsent();
        } finally {
            buffers.release(buffer);
        }
    }

    private void sendAbsent() throws IOException {
        begin();
        small.put(Protocol.KIND_ABSENT).putLong(0);
        send(small);
    }

    private void list() throws IOException {
        Optional<List<DirectoryEntry>> entries = timeline.list(request.path());
        if (entries.isEmpty()) {
            begin();
            small.put(Protocol.KIND_ABSENT).putInt(0);
            send(small);
            return;
        }
        byte[][] names = new byte[entries.get().size()][];
        int size = Protocol.LENGTH_SIZE + 1 + 1 + Integer.BYTES;
        for (int i = 0; i < names.length; i++) {
            names[i] = entries.get().get(i).name().getBytes(StandardCharsets.UTF_8);
            size += 1 + Short.BYTES + names[i].length;
        }
        ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        buffer.position(Protocol.LENGTH_SIZE);
        buffer.put(Protocol.STATUS_OK).put(Protocol.KIND_DIRECTORY).putInt(names.length);
        for (int i = 0; i < names.length; i++) {
            buffer.put(kind(entries.get().get(i).kind()))
                    .putShort((short) names[i].length)
                    .put(names[i]);
        }
        send(buffer);
    }

    private void refuse(String message) throws IOException {
        String shortened = message.length() > MESSAGE_MAX ? message.substring(0, MESSAGE_MAX) : message;
        byte[] text = shortened.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer =
                ByteBuffer.allocate(Protocol.LENGTH_SIZE + 1 + text.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.position(Protocol.LENGTH_SIZE);
        buffer.put(Protocol.STATUS_REFUSED).put(text);
        send(buffer);
    }

    /** Starts a small answer: room for the length, and the status. */
    private void begin() {
        small.clear().position(Protocol.LENGTH_SIZE);
        small.put(Protocol.STATUS_OK);
    }

    /** Puts the length in front of what was written into the buffer, and sends it. */
    private void send(ByteBuffer buffer) throws IOException {
        buffer.putInt(0, buffer.position() - Protocol.LENGTH_SIZE);
        write(buffer.flip());
    }

    private void write(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /** Where the byte per page begins. */
    private static final int MARKS = Protocol.LENGTH_SIZE + 1;

    /** Puts the pages of one read behind each other, and a mark for each in front. */
    private record InLine(ByteBuffer buffer, int marks, long first) implements PageConsumer {
        @Override
        public void zero(long block) {
            buffer.put(marks + (int) (block - first), Protocol.PAGE_ZERO);
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {
            buffer.put(marks + (int) (block - first), Protocol.PAGE_DATA);
            buffer.put(page);
        }
    }

    /** Puts each page at its place in the shared memory, and only the marks into the answer. */
    private record InMemory(ByteBuffer answer, ByteBuffer memory, long first, int at) implements PageConsumer {
        @Override
        public void zero(long block) {
            answer.put(MARKS + at + (int) (block - first), Protocol.PAGE_ZERO);
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {
            int index = at + (int) (block - first);
            answer.put(MARKS + index, Protocol.PAGE_DATA);
            memory.put(index * Protocol.BLOCK_SIZE, page, page.position(), page.remaining());
        }
    }

    /** Puts the blocks behind each other, those of zeroes too. */
    private record InOrder(ByteBuffer buffer) implements PageConsumer {
        private static final byte[] ZEROES = new byte[Protocol.BLOCK_SIZE];

        @Override
        public void zero(long block) {
            buffer.put(ZEROES);
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {
            buffer.put(page);
        }
    }

    private static byte kind(FileKind kind) {
        return switch (kind) {
            case ABSENT -> Protocol.KIND_ABSENT;
            case FILE -> Protocol.KIND_FILE;
            case DIRECTORY -> Protocol.KIND_DIRECTORY;
        };
    }
}
