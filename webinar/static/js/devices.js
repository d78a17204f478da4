// Camera, screen and microphone: what the studio shows and hears, and how loud.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25 } };
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true };
const HEARD = 0.02;
// The meter shows decibels, as ears do: from -60 dB (0) to full (1).
const QUIETEST_DECIBEL = -60;

const TROUBLES = {
  camera: {
    NotAllowedError: "The browser may not use your camera. Allow it beside the address, then reload this page.",
    NotFoundError: "No camera was found. Plug one in, share your screen, or go live with sound only.",
    NotReadableError: "Another program uses the camera. Close it, then choose the camera below.",
    OverconstrainedError: "That camera is gone. Choose another one below.",
  },
  microphone: {
    NotAllowedError: "The browser may not use your microphone, so nobody can hear you. Allow it beside the address, then reload this page.",
    NotFoundError: "No microphone was found, so nobody can hear you. Plug one in: it is used as soon as it is there.",
    NotReadableError: "Another program uses the microphone. Close it, then choose the microphone below.",
    OverconstrainedError: "That microphone is gone. Choose another one below.",
  },
};

export class Devices {
  picture = null; // MediaStream of camera or screen; null: sound only
  sound = null; // MediaStream of the microphone
  source = "camera";
  troubles = { camera: "", microphone: "" };
  heardAt = null;
  meter = null;
  isAsking = true; // until the browser has said yes or no

  // `onChange` hears of every new picture or sound, and of troubles.
  constructor({ camera, microphone, onChange }) {
    Object.assign(this, { camera, microphone, onChange });
    camera.addEventListener("change", () => this.source === "camera" && this.useCamera());
    microphone.addEventListener("change", () => this.useMicrophone());
    navigator.mediaDevices.addEventListener("devicechange", () => this.lookAgain());
    // A browser may keep the meter asleep until the first press on the page.
    document.addEventListener("pointerdown", () => this.meter?.context.resume());
  }

  get canShareScreen() {
    return Boolean(navigator.mediaDevices.getDisplayMedia);
  }

  // One question for both; if that is refused, each by itself, to know which is missing.
  async begin() {
    try {
      const both = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: MICROPHONE });
      this.setSound(new MediaStream(both.getAudioTracks()));
      this.setPicture(new MediaStream(both.getVideoTracks()), "camera");
    } catch {
      await this.useCamera();
      await this.useMicrophone();
    }
    this.isAsking = false;
    await this.list();
  }

  async useCamera() {
    try {
      const video = { ...CAMERA, ...chosen(this.camera) };
      this.setPicture(await navigator.mediaDevices.getUserMedia({ video }), "camera");
    } catch (error) {
      this.complain("camera", error);
    }
  }

  // Closing the browser's choice of windows is no trouble: what was shown stays.
  async useScreen() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
    } catch {
      return;
    }
    this.setPicture(stream, "screen");
  }

  async useMicrophone() {
    try {
      const audio = { ...MICROPHONE, ...chosen(this.microphone) };
      this.setSound(await navigator.mediaDevices.getUserMedia({ audio }));
    } catch (error) {
      this.complain("microphone", error);
    }
  }

  setPicture(stream, source) {
    release(this.picture);
    this.picture = stream;
    this.source = source;
    this.troubles.camera = "";
    // Unplugged, or the sharing was ended with the browser's own button.
    stream.getVideoTracks()[0].addEventListener("ended", () => this.onPictureEnded(stream));
    this.onChange();
  }

  async onPictureEnded(stream) {
    if (this.picture !== stream) return;
    this.picture = null;
    await this.list();
    await this.useCamera();
    if (this.picture === null) this.onChange();
  }

  setSound(stream) {
    release(this.sound);
    this.sound = stream;
    this.troubles.microphone = "";
    this.listen(stream);
    stream.getAudioTracks()[0].addEventListener("ended", async () => {
      if (this.sound !== stream) return;
      await this.list();
      await this.useMicrophone();
    });
    this.onChange();
  }

  complain(what, error) {
    this.troubles[what] = TROUBLES[what][error.name] ?? `The ${what} does not work: ${error.message}`;
    this.onChange();
  }

  async lookAgain() {
    await this.list();
    if (this.picture === null && this.camera.options.length > 0) await this.useCamera();
    if (this.sound === null && this.microphone.options.length > 0) await this.useMicrophone();
  }

  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    fill(this.camera, devices, "videoinput", "Camera", this.source === "camera" ? this.picture : null);
    fill(this.microphone, devices, "audioinput", "Microphone", this.sound);
  }

  // A level that moves says more than "microphone on".
  listen(stream) {
    this.meter?.context.close();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    this.meter = { context, analyser, samples: new Float32Array(analyser.fftSize) };
  }

  // How loud it is right now, from 0 to 1.
  level() {
    if (this.meter === null) return 0;
    this.meter.analyser.getFloatTimeDomainData(this.meter.samples);
    const loudest = this.meter.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    if (loudest > HEARD) this.heardAt = performance.now();
    return Math.max(0, 1 - (20 * Math.log10(loudest || 1e-9)) / QUIETEST_DECIBEL);
  }

  // The system's own switch, a key or a button at the headset.
  get isMuted() {
    return this.sound?.getAudioTracks()[0]?.muted ?? false;
  }

  release() {
    release(this.picture);
    release(this.sound);
  }
}

function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function chosen(select) {
  return select.value ? { deviceId: { exact: select.value } } : {};
}

// Names are known only after the browser was allowed to use the device.
function fill(select, devices, kind, word, stream) {
  const found = devices.filter((device) => device.kind === kind && device.deviceId !== "");
  const inUse = stream?.getTracks()[0]?.getSettings().deviceId ?? select.value;
  select.replaceChildren(
    ...found.map((device, index) => new Option(device.label || `${word} ${index + 1}`, device.deviceId)),
  );
  if (found.some((device) => device.deviceId === inUse)) select.value = inUse;
  select.disabled = found.length === 0;
  if (found.length === 0) select.add(new Option("none found", ""));
}
