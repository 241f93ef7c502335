package dev.coppice.proxy.pool.statement;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The replies that one server connection still owes, in order. After an error in the extended protocol the server ignores
 * everything up to the next Sync; so do we.
 */
public final class ReplyQueue {
    private final ServerStatements statements;
    private final Deque<Expected> queue = new ArrayDeque<>();
    private boolean skipping;

    public ReplyQueue(ServerStatements statements) {
        this.statements = statements;
    }

    public boolean isEmpty() {
        return queue.isEmpty();
    }

    /** Whether the server ignores everything but Sync at the moment. */
    public boolean skipping() {
        return skipping;
    }

    public void add(Expected expected) {
        if (expected.kind() == Expected.Kind.SYNC) {
            skipping = false;
        }
        queue.add(expected);
    }

    @Nullable
    public Expected peek() {
        return queue.peek();
    }

    public Expected.@Nullable Kind next() {
        Expected head = queue.peek();
        return head == null ? null : head.kind();
    }

    /** Takes the next one out if it is of this kind. */
    public boolean take(Expected.Kind kind) {
        if (next() == kind) {
            queue.remove();
            return true;
        }
        return false;
    }

    /** ReadyForQuery: takes out everything up to what it ends, and says what that was. */
    public Expected.@Nullable Kind takeReady() {
        for (Expected head = queue.poll(); head != null; head = queue.poll()) {
            if (head.endsWithReady()) {
                return head.kind();
            }
        }
        return null;
    }

    /** An ErrorResponse in the extended protocol: nothing before the next Sync is answered, or was done. */
    public void failed() {
        Deque<Expected> ignored = new ArrayDeque<>();
        while (!queue.isEmpty() && queue.peek().kind() != Expected.Kind.SYNC) {
            ignored.push(queue.remove());
        }
        skipping = queue.isEmpty();
        for (Expected each : ignored) {
            undo(each);
        }
    }

    private void undo(Expected expected) {
        if (expected.undo() != null) {
            expected.undo().run();
        }
        PreparedStatement statement = expected.statement();
        switch (expected.kind()) {
            case PARSE, HIDDEN_PARSE -> {
                if (statement != null) {
                    statements.remove(statement);
                }
            }
            case HIDDEN_DESCRIBE -> {
                if (statement != null) {
                    statements.notUnderstood(statement);
                }
            }
            case HIDDEN_CLOSE -> {
                if (expected.evicted() != null) {
                    statements.restore(expected.evicted());
                }
            }
            case QUERY -> statements.unnamed(ServerStatements.UNKNOWN);
            case HIDDEN_QUERY, BIND, CHANGED, DESCRIBE, EXECUTE, CLOSE, LOCAL_CLOSE, SYNC -> {}
        }
    }
}
