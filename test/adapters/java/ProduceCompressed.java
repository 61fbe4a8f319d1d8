import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes the records of kafka-codecs.test.ts as Java's own client does: `<brokers> <topic>`. Topic
 * partition n has the nth codec of the protocol.
 */
public class ProduceCompressed {
  public static void main(String[] arguments) {
    List<String> codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
    for (int partition = 0; partition < codecs.size(); partition++) {
      Map<String, Object> settings = new HashMap<>();
      settings.put("bootstrap.servers", arguments[0]);
      settings.put("compression.type", codecs.get(partition));
      settings.put("batch.size", 1_000_000);
      settings.put("linger.ms", 200);
      settings.put("key.serializer", ByteArraySerializer.class);
      settings.put("value.serializer", ByteArraySerializer.class);
      try (var producer = new KafkaProducer<byte[], byte[]>(settings)) {
        for (int number = 0; number < 500; number++) {
          producer.send(record(arguments[1], partition, text("key-" + number), text("value-" + number + "-".repeat(number))));
        }
        producer.send(record(arguments[1], partition, text("tombstone"), null));
        producer.send(record(arguments[1], partition, null, new byte[0]));
        producer.send(record(arguments[1], partition, text("large"), large()));
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, int partition, byte[] key, byte[] value) {
    var record = new ProducerRecord<>(topic, partition, key, value);
    record.headers().add("trace", new byte[] {0, (byte) 255, 7}).add("trace", text("twice"));
    return record;
  }

  /** A little short of the broker's limit, and hard to compress. */
  private static byte[] large() {
    byte[] bytes = new byte[1_000_000];
    int state = 1;
    for (int index = 0; index < bytes.length; index++) {
      state = state * 1_103_515_245 + 12_345;
      bytes[index] = (byte) (state >>> 16);
    }
    return bytes;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
