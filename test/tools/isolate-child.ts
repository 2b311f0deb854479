/** A supervised process that does what it is told, for the tests of those who supervise it. */
import { connectToParent } from "../../tools/isolate/ipc-client.ts";

const link = connectToParent<{ readonly greeting: string }>();
const held: Buffer[] = [];

link.listen({
  onMessage(message) {
    switch (message) {
      case "garbage":
        process.stdout.write("this is no frame");
        break;
      case "not JSON":
        process.stdout.write(Buffer.from([3, 0, 0, 0, 0, 0x7b, 0x7b, 0x7b]));
        break;
      case "too long":
        process.stdout.write(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]));
        break;
      case "bytes":
        link.sendBytes(Buffer.from("bytes"));
        break;
      case "last words":
        link.die("goodbye");
        break;
      case "crash":
        throw new Error("broken on purpose");
      case "loop":
        link.send("looping");
        // Gives the answer time to be written; then this thread is never free again.
        setTimeout(() => {
          for (;;);
        }, 50);
        break;
      case "deafen":
        process.stdin.pause();
        link.send("deaf");
        break;
      case "eat":
        for (let i = 0; i < 40; i++) held.push(Buffer.alloc(10 * 1024 * 1024, 1));
        break;
      default:
        link.send({ echo: message, ...link.setup });
    }
  },
  onOutOfMemory: () => "out of memory",
});
link.send("ready");
