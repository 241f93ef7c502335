package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import org.slf4j.LoggerFactory;

/** What Netty's leak detector, which the tests run at level paranoid, has found since the beginning of a test class. */
final class BufferLeaks {
    private static final int COLLECTIONS = 3;

    private final Logger logger = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    private final ListAppender<ILoggingEvent> reports = new ListAppender<>();

    BufferLeaks() {
        reports.start();
        logger.addAppender(reports);
    }

    /** Fails when a buffer was dropped without having been released. */
    void assertNone() throws InterruptedException {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(20);
            // Lost buffers are reported when the next ones are made.
            ByteBufAllocator.DEFAULT.heapBuffer(16).release();
            ByteBufAllocator.DEFAULT.directBuffer(16).release();
        }
        logger.detachAppender(reports);
        assertThat(reports.list).extracting(ILoggingEvent::getFormattedMessage).isEmpty();
    }
}
