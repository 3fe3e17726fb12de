package synth

// chronic names the lasting conditions of this population.
type chronic int

const (
	obesity chronic = iota
	prediabetes
	diabetes
	hypertension
	hyperlipidemia
	anemia
	asthma
	copd
	heartDisease
	heartFailure
	fibrillation
	kidneyDisease
	osteoporosis
	arthritis
	epilepsy
	dementia
	depression
	chronicPain
	rhinitis
	hypothyroidism
	gout
	colonCancer
	breastCancer
	lungCancer
	chronics // how many there are
)

// lasting says who gets a condition, when, and what is done about it.
type lasting struct {
	what     concept
	permille int // of people who get it if they live long enough
	women    int // permille of women, if not the same; a negative permille is none of the men
	from, to int // ages between which it shows itself
	drugs    []*drug
	plan     *plan
	tests    []*act // when it is found
	months   int    // between visits for it; 0 for none
	rounds   int    // how many such visits at most; 0 for as long as life lasts
	visit    *visitKind
	doing    []*act // at each of those visits
	staffed  bool   // the drugs are given at each visit by staff
}

// act is a procedure and what it costs.
type act struct {
	what    concept
	price   cents
	minutes int
}

func does(code, display string, price cents, minutes int) *act {
	return &act{sct(code, display), price, minutes}
}

var (
	listDrugs     = does("428191000124101", "Documentation of current medications", 60546, 15)
	screenMood    = does("171207006", "Depression screening", 41291, 20)
	spirometry    = does("127783003", "Spirometry (procedure)", 22357, 30)
	lungTest      = does("23426006", "Measurement of respiratory function (procedure)", 51685, 30)
	ecg           = does("29303009", "Electrocardiographic procedure", 17811, 15)
	echo          = does("433236007", "Transthoracic echocardiography", 109413, 45)
	boneScan      = does("312681000", "Bone density scan (procedure)", 39137, 45)
	immunotherapy = does("180256009", "Subcutaneous immunotherapy", 37673, 20)
	colonoscopy   = does("73761001", "Colonoscopy", 148293, 60)
	polypectomy   = does("274031008", "Rectal polypectomy", 99877, 30)
	chemoradio    = does("703423002", "Combined chemotherapy and radiation therapy (procedure)", 612311, 180)
	biopsy        = does("76164006", "Biopsy of colon", 87413, 40)
	bronchoscopy  = does("173160006", "Diagnostic fiberoptic bronchoscopy (procedure)", 161579, 45)
	mammography   = does("71651007", "Mammography (procedure)", 31729, 30)
	talkTherapy   = does("228557008", "Cognitive and behavioral therapy", 20743, 60)
	rehab         = does("15081005", "Pulmonary rehabilitation (regime/therapy)", 71209, 60)
	cardioversion = does("180325003", "Electrical cardioversion", 254119, 60)
	eeg           = does("54550000", "Seizure Count Cerebral Cortex Electroencephalogram (EEG)", 88391, 60)
)

// ills holds what is known of each lasting condition.
var ills = [chronics]lasting{
	obesity:     {what: sct("162864005", "Body mass index 30+ - obesity (finding)"), from: 3, to: 55},
	prediabetes: {what: sct("15777000", "Prediabetes"), permille: 340, from: 26, to: 62, plan: &diabetesCare},
	diabetes:    {what: sct("44054006", "Diabetes"), permille: 130, from: 33, to: 70, drugs: []*drug{&metformin}, months: 12, visit: &followUp, doing: []*act{listDrugs}},
	hypertension: {what: sct("38341003", "Hypertension"), permille: 420, from: 28, to: 68, drugs: []*drug{&thiazide}, plan: &pressureCare,
		months: 24, visit: &followUp},
	hyperlipidemia: {what: sct("55822004", "Hyperlipidemia"), permille: 250, from: 35, to: 66, drugs: []*drug{&simvastatin10}, plan: &lipidCare, months: 12, visit: &followUp},
	anemia:         {what: sct("271737000", "Anemia (disorder)"), permille: 260, women: 360, from: 12, to: 70},
	asthma:         {what: sct("195967001", "Asthma"), permille: 60, from: 3, to: 20, drugs: []*drug{&albuterol, &fluticasone}, plan: &asthmaCare, tests: []*act{spirometry}, months: 12, visit: &asthmaVisit},
	copd: {what: sct("87433001", "Pulmonary emphysema (disorder)"), permille: 55, from: 50, to: 75, drugs: []*drug{&salmeterol}, plan: &copdCare,
		tests: []*act{spirometry}, months: 6, rounds: 12, visit: &outpatient, doing: []*act{rehab}},
	heartDisease: {what: sct("53741008", "Coronary Heart Disease"), permille: 130, women: 80, from: 45, to: 78, drugs: []*drug{&clopidogrel, &simvastatin20, &nitroglycerin}, months: 12, visit: &followUp},
	heartFailure: {what: sct("88805009", "Chronic congestive heart failure (disorder)"), permille: 85, from: 55, to: 84, drugs: []*drug{&furosemide}, plan: &heartCare,
		tests: []*act{ecg, echo}, months: 12, visit: &followUp, doing: []*act{echo}},
	fibrillation:  {what: sct("49436004", "Atrial Fibrillation"), permille: 80, from: 50, to: 82, drugs: []*drug{&warfarin, &digoxin}, tests: []*act{ecg}, months: 9, rounds: 6, visit: &outpatient, doing: []*act{cardioversion}},
	kidneyDisease: {what: sct("431855005", "Chronic kidney disease stage 1 (disorder)"), permille: 50, from: 45, to: 80},
	osteoporosis:  {what: sct("64859006", "Osteoporosis (disorder)"), permille: 40, women: 190, from: 60, to: 82, drugs: []*drug{&alendronate}, tests: []*act{boneScan}},
	arthritis:     {what: sct("239873007", "Osteoarthritis of knee"), permille: 110, from: 42, to: 76, drugs: []*drug{&naproxen}, plan: &jointCare},
	epilepsy:      {what: sct("84757009", "Epilepsy"), permille: 25, from: 1, to: 50, drugs: []*drug{&carbamazepine}, tests: []*act{eeg}, months: 24, visit: &followUp},
	dementia:      {what: sct("26929004", "Alzheimer's disease (disorder)"), permille: 130, from: 66, to: 92, drugs: []*drug{&galantamine}, plan: &memoryCare, months: 12, visit: &homeVisit},
	depression:    {what: sct("370143000", "Major depression disorder"), permille: 70, women: 110, from: 14, to: 65, drugs: []*drug{&sertraline}, plan: &mindCare, months: 4, rounds: 10, visit: &telehealth, doing: []*act{talkTherapy}},
	chronicPain:   {what: sct("82423001", "Chronic pain"), permille: 80, from: 25, to: 65, drugs: []*drug{&ibuprofen}, months: 12, rounds: 6, visit: &symptomVisit},
	rhinitis: {what: sct("446096008", "Perennial allergic rhinitis"), permille: 140, from: 2, to: 12, drugs: []*drug{&loratadine}, plan: &allergyCare,
		months: 2, rounds: 22, visit: &outpatient, doing: []*act{immunotherapy}},
	hypothyroidism: {what: sct("83664006", "Idiopathic atrophic hypothyroidism"), permille: 25, women: 70, from: 30, to: 70, drugs: []*drug{&levothyroxine}, months: 24, visit: &followUp},
	gout:           {what: sct("90560007", "Gout"), permille: 50, women: 15, from: 40, to: 75, drugs: []*drug{&allopurinol}},
	colonCancer: {what: sct("363406005", "Malignant tumor of colon"), permille: 35, from: 50, to: 78, drugs: []*drug{&oxaliplatin}, plan: &cancerCare,
		tests: []*act{colonoscopy, biopsy}, months: 1, rounds: 9, visit: &outpatient, doing: []*act{chemoradio}, staffed: true},
	breastCancer: {what: sct("254837009", "Malignant neoplasm of breast (disorder)"), permille: -1, women: 80, from: 42, to: 76, drugs: []*drug{&paclitaxel}, plan: &cancerCare,
		tests: []*act{mammography}, months: 1, rounds: 8, visit: &outpatient, doing: []*act{chemoradio}, staffed: true},
	lungCancer: {what: sct("254637007", "Non-small cell lung cancer (disorder)"), permille: 30, from: 52, to: 80, drugs: []*drug{&cisplatin, &paclitaxel}, plan: &cancerCare,
		tests: []*act{bronchoscopy}, months: 1, rounds: 10, visit: &outpatient, doing: []*act{chemoradio}, staffed: true},
}

// chance is how many people of 1000 get the condition.
func (l *lasting) chance(woman bool) int {
	if woman && l.women != 0 {
		return l.women
	}
	return max(l.permille, 0)
}
